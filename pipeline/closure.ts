/** Reads what runs left about themselves, for those who look back: export, push, provenance, crates. */
import { PipelineError } from "./errors.ts";
import { runNames, type RunRecord } from "./run_record.ts";

/** The run record of a given id, or the latest one. */
export function readRun(root: string, id?: string): RunRecord {
  const names = runNames(root);
  const name = id === undefined ? names.at(-1) : `${id}.json`;
  if (name === undefined || !names.includes(name)) {
    throw new PipelineError(id === undefined ? `${root} has no run yet` : `${root} has no run "${id}"`);
  }
  return JSON.parse(Deno.readTextFileSync(`${root}/runs/${name}`));
}

/** A run's facts; where it computed nothing, and so asked for none, those of the latest run before it that has some. */
export function factsOf(root: string, { id }: RunRecord): RunRecord["facts"] {
  const names = runNames(root);
  for (const name of names.slice(0, names.indexOf(`${id}.json`) + 1).toReversed()) {
    const { facts } = readRun(root, name.replace(/\.json$/, ""));
    if (facts !== null) return facts;
  }
  return null;
}
