/** The published metrics as numbers by name, for `gate` and `diff`. */
import { dirname, join } from "node:path";
import { z } from "zod";
import { measurementSchema } from "../stages/scores/parts/measurements.ts";
import { VIEW_METRICS, viewMetricsSchema } from "../stages/tables/parts/view_metrics.ts";

/**
 * Reads `metrics.json` and the `view_metrics.json` beside it: means over the test faces, over other views and over true
 * textures, and what training adds over the guess. Of results without the second file there are the first means alone;
 * a baseline that knows more then finds the rest missing.
 *
 * @returns numbers by name; NaN where the second file says that there is no such number
 * @throws where a file is absent, malformed or holds no face
 */
export function readGateMetrics(path: string): Readonly<Record<string, number>> {
  const means = methodMeans(read(path) ?? missing(path));
  if (means.faces === 0) throw new Error(`${path} holds no face`);
  const beside = join(dirname(path), VIEW_METRICS);
  const views = viewMetricsSchema.safeParse(read(beside) ?? {});
  if (!views.success) throw new Error(`${beside}: these are not means by name:\n${z.prettifyError(views.error)}`);
  const numbers = Object.entries(views.data).map(([name, value]) => [name, value ?? NaN]);
  return { ...means, ...Object.fromEntries(numbers) };
}

/** A file's JSON; undefined where there is no such file. */
function read(path: string): unknown {
  try {
    // a byte order mark, as some editors write it, is no part of JSON
    return JSON.parse(Deno.readTextFileSync(path).replace(/^\ufeff/, ""));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

function missing(path: string): never {
  throw new Error(`${path}: no such file; run reproduce first`);
}

/**
 * Means over the faces of `metrics.json` by name: "ours.masked.psnr", and "faces", their number. A PSNR of equal images
 * (null) has no part in the mean; null where the images differ is no number, so that the mean is NaN.
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
          if (value === null && scores.l1 === 0) continue;
          (values[`${method}.${region}.${metric}`] ??= []).push(value ?? NaN);
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
