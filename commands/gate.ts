/** `gate`: published metrics against a committed baseline. */
import type { Command } from "commander";
import { z } from "zod";
import {
  appendStepSummary,
  type Baseline,
  baselineOf,
  gate as compare,
  gateMarkdown,
  readBaseline,
  type Rule,
  writeBaseline,
} from "@ftim/pipeline";
import { measurementSchema } from "../stages/scores/parts/measurements.ts";
import { type Common, experimentCommand, folderOf, place } from "./common.ts";
import { Failure } from "./failure.ts";

/**
 * How a mean over the test faces may move between adapters and drivers. A baseline keeps the rules that were edited in
 * it; these are for metrics that it does not know yet.
 */
const RULES: Readonly<Record<string, Rule>> = {
  "faces": { direction: "equal", atol: 0, rtol: 0 },
  ".l1": { direction: "lower", atol: 0, rtol: 0.1 },
  ".psnr": { direction: "higher", atol: 0.5, rtol: 0 },
  ".ssim": { direction: "higher", atol: 0.02, rtol: 0 },
  ".cosine": { direction: "higher", atol: 0.02, rtol: 0 },
  ".cosine512": { direction: "higher", atol: 0.05, rtol: 0 },
};

interface GateOptions extends Common {
  readonly baseline: string;
  readonly metrics?: string;
  readonly update?: true;
  readonly drop?: true;
}

/** Adds the command. */
export function gate(program: Command): void {
  experimentCommand(program, ["gate", "compare the metrics with the committed baseline"])
    .option("--baseline <file>", "to compare with", place, "results/baseline.json")
    .option("--metrics <file>", "to compare; default: the published metrics.json")
    .option("--update", "make the present metrics the baseline")
    .option("--drop", "with --update: leave out the baseline's metrics that are gone")
    .action(run);
}

function run({ baseline: path, update, drop, metrics: file, ...options }: GateOptions): void {
  const source = file ?? `${folderOf(options)}/metrics.json`;
  const metrics = methodMeans(readMetrics(source));
  if (metrics.faces === 0) throw new Error(`${source} holds no face`);
  if (update === true) {
    writeBaseline(path, updated(metrics, { path, drop: drop === true }));
    return console.log(`${path}: ${Object.keys(metrics).length} metrics`);
  }
  const result = compare(metrics, readBaseline(path));
  const markdown = gateMarkdown(result);
  console.log(markdown);
  appendStepSummary(markdown);
  if (!result.passed) throw new Failure();
}

function updated(
  metrics: Readonly<Record<string, number>>,
  { path, drop }: { readonly path: string; readonly drop: boolean },
): Baseline {
  const earlier = exists(path) ? { earlier: readBaseline(path) } : {};
  try {
    return baselineOf(metrics, { ...earlier, rules: RULES, drop });
  } catch (error) {
    const advice = drop ? "" : "\nWhere that is meant, add --drop.";
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}${advice}`, { cause: error });
  }
}

function readMetrics(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path).replace(/^\ufeff/, ""));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) throw new Error(`${path}: no such file; run reproduce first`, { cause });
    throw new Error(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/**
 * Means over the faces of `metrics.json` by name: "ours.masked.psnr", and "faces", their number. A PSNR of equal images
 * (null) has no part in the mean.
 */
export function methodMeans(json: unknown): Readonly<Record<string, number>> {
  const parsed = measurementSchema.array().safeParse(json);
  if (!parsed.success) throw new Error(`these are not the metrics of faces:\n${z.prettifyError(parsed.error)}`);
  const faces = parsed.data;
  const values: Record<string, number[]> = {};
  for (const { methods } of faces) {
    for (const [method, regions] of Object.entries(methods)) {
      for (const [region, scores] of Object.entries(regions)) {
        for (const [metric, value] of Object.entries(scores)) {
          if (value != null) (values[`${method}.${region}.${metric}`] ??= []).push(value);
        }
      }
    }
  }
  const means = Object.entries(values).map(([name, list]) => [name, list.reduce((a, b) => a + b) / list.length]);
  return { faces: faces.length, ...Object.fromEntries(means) };
}

/** Whether a value is what `metrics.json` holds. */
export function areMeasurements(json: unknown): boolean {
  return measurementSchema.array().safeParse(json).success;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
