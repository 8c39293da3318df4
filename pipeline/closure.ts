/** Reads what runs left about themselves, for those who look back: export, push, provenance, crates. */
import { PipelineError } from "./errors.ts";
import { latestRuns, readRunFile, runNames, type RunRecord } from "./run_record.ts";

/** The run record of a given id, or the latest one. */
export function readRun(root: string, id?: string): RunRecord {
  if (id === undefined) {
    const latest = latestRuns(root).next().value;
    if (latest === undefined) throw new PipelineError(`${root} has no run yet: run reproduce first`);
    return latest;
  }
  const name = `${id}.json`;
  if (!runNames(root).includes(name)) throw new PipelineError(`${root} has no run "${id}"`);
  const record = readRunFile(root, name);
  if (record !== null) return record;
  throw new PipelineError(`the record ${root}/runs/${name} is damaged; name another run, or run reproduce again`);
}

/** A run's facts; where it computed nothing, and so asked for none, those of the latest run before it that has some. */
export function factsOf(root: string, { id }: RunRecord): RunRecord["facts"] {
  const runs = latestRuns(root).toArray();
  const from = runs.findIndex((run) => run.id === id);
  return runs.slice(from).find(({ facts }) => facts !== null)?.facts ?? null;
}
