/**
 * Compares what a rerun made with what was recorded, as strictly as the stage's determinism class promises. Under a
 * tolerance the numbers of JSON and safetensors count as they are, and a picture's levels from 0 to 1.
 */
import type { Determinism } from "./contract.ts";

/** Null where two files agree as promised; otherwise what differs. */
export async function compareFiles(path: string, pair: Pair, determinism: Determinism): Promise<string | null> {
  if (equalBytes(pair.before, pair.after)) return null;
  if (typeof determinism === "string") return firstDifference(pair);
  const [before, after] = [await numbersOf(path, pair.before), await numbersOf(path, pair.after)];
  if (before === null || after === null) {
    return `${firstDifference(pair)} (only JSON, PNG and safetensors are compared by number)`;
  }
  if (before.form !== after.form) return `${before.form} became ${after.form}`;
  if (before.shape !== after.shape) return "the structure differs";
  return compareNumbers({ before, after }, determinism);
}

/** A file as recorded and as made again. */
export interface Pair {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

type Tolerance = Exclude<Determinism, string>;

interface Numbers {
  /** Everything but the numbers; must agree exactly. */
  readonly shape: string;
  /** The part of the shape that is short enough to be told. */
  readonly form: string;
  readonly values: ArrayLike<number>;
  /** What counts as 1: a picture's brightest level. */
  readonly unit: number;
  /** Says where a value stands. */
  readonly place: (index: number) => string;
}

function compareNumbers(
  { before, after }: { readonly before: Numbers; readonly after: Numbers },
  { atol, rtol }: Tolerance,
): string | null {
  let worst = { excess: 0, text: "" };
  for (let index = 0; index < before.values.length; index++) {
    const [a, b] = [before.values[index] ?? NaN, after.values[index] ?? NaN];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const excess = Math.abs(a - b) / (atol * before.unit + rtol * Math.abs(a));
    if (excess <= 1 || excess <= worst.excess) continue;
    worst = { excess, text: `${before.place(index)}: ${a} became ${b}` };
  }
  return worst.text === "" ? null : worst.text;
}

async function numbersOf(path: string, bytes: Uint8Array): Promise<Numbers | null> {
  try {
    if (path.endsWith(".json")) return jsonNumbers(bytes);
    if (path.endsWith(".safetensors")) return tensorNumbers(bytes);
    if (path.endsWith(".png")) return await pixelNumbers(bytes);
  } catch {
    // not what its name says: compared as bytes
  }
  return null;
}

function jsonNumbers(bytes: Uint8Array): Numbers {
  const values: number[] = [];
  const shape = JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), (_, value) => {
    if (typeof value !== "number") return value;
    values.push(value);
    return "#";
  });
  return { shape, form: "JSON", values, unit: 1, place: (index) => `value ${index}` };
}

interface Tensor {
  readonly dtype?: string;
  readonly data_offsets?: readonly [from: number, to: number];
}

/**
 * safetensors: a little-endian u64 header length, a JSON header, then the data. Floats of 16 and of 32 bits may
 * differ.
 */
function tensorNumbers(bytes: Uint8Array): Numbers | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header: Record<string, Tensor> = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  const parts: ArrayLike<number>[] = [];
  for (const [name, { dtype, data_offsets: [from, to] = [0, 0] }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    // a copy begins where an array of numbers may begin
    const { buffer } = bytes.slice(start + from, start + to);
    if (dtype === "F32") parts.push(new Float32Array(buffer));
    else if (dtype === "F16") parts.push(new Float16Array(buffer));
    else return null;
  }
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  const shape = JSON.stringify(header);
  return { shape, form: "safetensors", values, unit: 1, place: (index) => `value ${index}` };
}

/**
 * A picture's levels. Those of fewer than eight bits are packed several to a byte, and those of a palette are no
 * levels.
 */
async function pixelNumbers(bytes: Uint8Array): Promise<Numbers | null> {
  // only a comparison that finds a difference needs the decoder
  const { decode } = await import("fast-png");
  const { data, ...rest } = decode(bytes);
  const { width, height, channels, depth, palette } = rest;
  if (depth < 8 || palette !== undefined) return null;
  return {
    shape: JSON.stringify(rest),
    form: `${width} × ${height} pixels, ${channels} channels of ${depth} bits`,
    values: data,
    unit: 2 ** depth - 1,
    place(index) {
      const pixel = Math.floor(index / channels);
      return `pixel (${pixel % width}, ${Math.floor(pixel / width)}), channel ${index % channels}`;
    },
  };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function firstDifference({ before, after }: Pair): string {
  if (before.length !== after.length) return `${before.length} bytes became ${after.length}`;
  return `byte ${before.findIndex((value, index) => value !== after[index])} of ${before.length} differs`;
}
