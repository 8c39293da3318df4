/** `gate`: published metrics against a committed baseline. */
import type { Command } from "commander";
import {
  appendStepSummary,
  type Baseline,
  baselineOf,
  gate as compare,
  gateMarkdown,
  readBaseline,
  writeBaseline,
} from "@ftim/pipeline";
import { type Common, experimentCommand, folderOf, place } from "./common.ts";
import { Failure } from "./failure.ts";
import { readGateMetrics } from "./gate_metrics.ts";
import { requireLearning, RULES, spreadRules, withRules } from "./gate_rules.ts";

interface GateOptions extends Common {
  readonly baseline: string;
  readonly metrics?: string;
  readonly confirm?: string;
  readonly update?: true;
  readonly spread?: string;
  readonly drop?: true;
}

/** Adds the command. */
export function gate(program: Command): void {
  experimentCommand(program, ["gate", "compare the metrics with the committed baseline"])
    .option("--baseline <file>", "to compare with", place, "results/baseline.json")
    .option("--metrics <file>", "to compare, with view_metrics.json beside it; default: the published metrics.json")
    .option("--confirm <file>", "metrics.json of one more run: what is worse in one run alone passes", place)
    .option("--update", "make the present metrics the baseline")
    .option("--spread <file>", "with --update: seeds.csv, from which tolerances are taken", place)
    .option("--drop", "with --update: leave out the baseline's metrics that are gone")
    .action(run);
}

function run({ baseline: path, update, drop, spread, metrics: file, confirm, ...options }: GateOptions): void {
  const source = file ?? `${folderOf(options)}/metrics.json`;
  if (update === undefined && (spread !== undefined || drop !== undefined)) {
    throw new Error(`${spread === undefined ? "--drop" : "--spread"} is of --update alone`);
  }
  if (update === true && confirm !== undefined) {
    throw new Error("--update makes a baseline of one run, without --confirm");
  }
  const metrics = readGateMetrics(source);
  if (update === true) {
    writeBaseline(path, updated(metrics, { path, drop: drop === true, ...(spread === undefined ? {} : { spread }) }));
    return console.log(`${path}: ${Object.keys(metrics).length} metrics`);
  }
  const again = confirm === undefined ? {} : { again: confirmation(confirm, { source, metrics }) };
  const result = compare(metrics, readBaseline(path), again);
  const markdown = gateMarkdown(result);
  console.log(markdown);
  appendStepSummary(markdown);
  if (!result.passed) throw new Failure();
}

/** The metrics of a second run, which must not be the first: results that are equal in all bits confirm nothing. */
function confirmation(
  path: string,
  { source, metrics }: { readonly source: string; readonly metrics: Readonly<Record<string, number>> },
): Readonly<Record<string, number>> {
  const again = readGateMetrics(path);
  const names = new Set([...Object.keys(metrics), ...Object.keys(again)]);
  if ([...names].some((name) => !Object.is(metrics[name], again[name]))) return again;
  throw new Error(`${path} holds the numbers of ${source}: confirm with another seed (--seed 2) or on another machine`);
}

function updated(
  metrics: Readonly<Record<string, number>>,
  { path, drop, spread }: { readonly path: string; readonly drop: boolean; readonly spread?: string },
): Baseline {
  const earlier = exists(path) ? { earlier: readBaseline(path) } : {};
  try {
    const made = baselineOf(metrics, { ...earlier, rules: RULES, drop });
    const baseline = withRules(made, spread === undefined ? {} : measuredRules(spread));
    requireLearning(baseline);
    return baseline;
  } catch (error) {
    const message = error instanceof Error ? error.message : `${error}`;
    const advice = message.startsWith("this would drop") ? "\nWhere that is meant, add --drop." : "";
    throw new Error(`${path}: ${message}${advice}`, { cause: error });
  }
}

function measuredRules(path: string): ReturnType<typeof spreadRules> {
  try {
    return spreadRules(Deno.readTextFileSync(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new Error(`${path}: no such file; run reproduce --seeds 2 first`);
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
