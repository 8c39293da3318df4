/** `runs`, `diff`, `publish`: what ran before, how two runs differ, and an old run's results again. */
import type { Command } from "commander";
import {
  diffRuns,
  duration,
  type FileDiff,
  findRun,
  flattenMetrics,
  listRuns,
  publishRun,
  type RunDiff,
  runNumber,
  type RunRecord,
  timelineText,
} from "@ftim/pipeline";
import {
  ABLATION,
  type Common,
  folderOf,
  namedBy,
  place,
  PUBLISHED,
  storeCommand,
  type StoreOptions,
} from "./common.ts";
import { machineOf } from "./facts.ts";
import { areMeasurements, methodMeans } from "./gate_metrics.ts";
import { sayPublished, targetFolder, writeCrate, writeHash } from "./results.ts";

type JsonOptions = StoreOptions & { readonly json?: true };

/** Adds the commands. */
export function runs(program: Command): void {
  storeCommand(program, ["runs", "what ran before, newest first; with a run, where its time went"])
    .argument("[run]", '"latest", or a run\'s number, or its id')
    .option("--json", "the records as JSON")
    .action((run: string | undefined, { json, store }: JsonOptions) => {
      const records = run === undefined ? listRuns({ store }) : [findRun(run, { store })];
      const [first] = records;
      if (json === true) console.log(JSON.stringify(run === undefined ? records : first, null, 1));
      else if (run !== undefined && first !== undefined) console.log(timelineText(first, { facts: factsOf(first) }));
      else console.log(records.length === 0 ? "no run yet" : runsText(records));
    });
  storeCommand(program, ["diff", "what differs between two runs, and which metrics moved"])
    .argument("<before>", "the earlier run, named as for runs").argument("<after>", "the later run")
    .option("--json", "as JSON")
    .action(async (before: string, after: string, { json, store }: JsonOptions) => {
      const pair = { before: findRun(before, { store }), after: findRun(after, { store }) };
      const diff = await diffRuns(pair, { store, files: ["metrics.json"] });
      const metrics = diff.files.flatMap(movesOf);
      if (json === true) console.log(JSON.stringify({ stages: diff.stages, same: diff.same, metrics }, null, 1));
      else console.log(diffText(diff, metrics));
    });
  storeCommand(program, ["publish", "publish an old run's results again"])
    .argument("<run>", "named as for runs")
    .option("--results <folder>", "where tables and figures go", place, "results")
    .action(republish);
}

/** Names of executed stages that a line of the table lists. */
const NAMES = 3;

function runsText(records: readonly RunRecord[]): string {
  const rows = records.map((record) => {
    const { summary, about, started, targets } = record;
    const ran = Object.entries(summary.stages).flatMap(([label, { executed }]) => executed > 0 ? [label] : []);
    const rest = ran.length > NAMES ? ` and ${ran.length - NAMES} more` : "";
    return [
      String(runNumber(record.id)),
      started.slice(0, 16).replace("T", " "),
      duration(summary.seconds),
      summary.status,
      about?.command ?? Object.keys(targets).slice(0, 2).join(", "),
      ran.length === 0 ? "nothing" : `${summary.executed} of ${ran.slice(0, NAMES).join(", ")}${rest}`,
      commitOf(record)?.slice(0, 7) ?? "",
      machineOf(record),
    ];
  });
  return tableText([["run", "UTC", "took", "result", "what", "computed", "commit", "machine"], ...rows]);
}

function commitOf({ about, facts }: RunRecord): string | undefined {
  return about?.commit ?? (typeof facts?.commit === "string" ? facts.commit : undefined);
}

function factsOf(record: RunRecord): readonly (readonly [string, string])[] {
  return [["machine", machineOf(record)]];
}

/** A metric that moved; null where it is not there. */
interface Move {
  readonly metric: string;
  readonly before: number | null;
  readonly after: number | null;
}

function movesOf({ before, after }: FileDiff): readonly Move[] {
  const [old, now] = [metricsOf(before), metricsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((metric) => {
    const [a, b] = [old.get(metric) ?? null, now.get(metric) ?? null];
    return a === b ? [] : [{ metric, before: a, after: b }];
  });
}

/** Metrics of a file: the means over the faces, where it holds scores of faces. */
function metricsOf(bytes: Uint8Array | null): ReadonlyMap<string, number> {
  if (bytes === null) return new Map();
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return new Map(Object.entries(areMeasurements(json) ? methodMeans(json) : flattenMetrics(json)));
}

function diffText({ stages, same }: RunDiff, metrics: readonly Move[]): string {
  const width = Math.max(0, ...stages.map(({ label }) => label.length));
  const lines = stages.flatMap(({ label, change, reasons, output }) => {
    const result = output === null ? "the same result" : `result: ${output}`;
    const head = change === "changed" ? result : change === "new" ? "only in the later run" : "only in the earlier run";
    return [`${label.padEnd(width)}  ${head}`, ...reasons.map((reason) => `${" ".repeat(width)}  └ ${reason}`)];
  });
  const number = (value: number | null) => value === null ? "–" : String(Number(value.toPrecision(6)));
  const rows = metrics.map(({ metric, before, after }) => {
    const change = before === null || after === null ? "" : `${after > before ? "+" : ""}${number(after - before)}`;
    return [metric, number(before), number(after), change];
  });
  const moved = rows.length === 0
    ? ["no metric moved"]
    : [tableText([["metric", "before", "after", "change"], ...rows])];
  return [...lines, `${same} stages are the same`, "", ...moved].join("\n");
}

async function republish(text: string, { store, results }: StoreOptions & Pick<Common, "results">): Promise<void> {
  const run = findRun(text, { store });
  const known: readonly string[] = [...PUBLISHED, ...ABLATION];
  const strange = Object.keys(run.targets).filter((target) => !known.includes(target));
  if (strange.length > 0) {
    throw new Error(`run ${run.id} made ${strange.join(", ")}, which is no table, figure or report to publish`);
  }
  const where = { store, results, ...namedBy(run.about?.experiment) };
  const done = await publishRun(run, { store, folderOf: (target) => targetFolder(target, where) });
  let written = 0;
  for (const [target, publication] of Object.entries(done)) {
    sayPublished(publication, { target, folder: targetFolder(target, where) });
    written += publication.written.length;
    if (target === "trained") await writeHash(targetFolder(target, where));
  }
  const crate = run.about?.crate;
  if (crate !== undefined) await writeCrate(crate, { ...where, run: run.id, changed: true });
  console.log(`${written} files written into ${folderOf(where)}, as run ${run.id} made them`);
}

/** Rows of cells as aligned columns. */
function tableText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
}
