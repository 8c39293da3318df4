/** Compares what a rerun made with what was recorded, as strictly as the stage's determinism class promises. */
import type { Determinism } from "./contract.ts";

/** Null where two files agree as promised; otherwise what differs. */
export function compareFiles(path: string, pair: Pair, determinism: Determinism): string | null {
  if (equalBytes(pair.before, pair.after)) return null;
  if (typeof determinism === "string") return firstDifference(pair);
  const [before, after] = [numbersOf(path, pair.before), numbersOf(path, pair.after)];
  if (before === null || after === null) {
    return `${firstDifference(pair)} (only JSON and safetensors are compared by number)`;
  }
  if (before.shape !== after.shape) return "the structure differs";
  return compareNumbers(before.values, after.values, determinism);
}

/** A file as recorded and as made again. */
export interface Pair {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

type Tolerance = Exclude<Determinism, string>;

function compareNumbers(before: ArrayLike<number>, after: ArrayLike<number>, { atol, rtol }: Tolerance): string | null {
  let worst = { excess: 0, text: "" };
  for (let index = 0; index < before.length; index++) {
    const [a, b] = [before[index] ?? NaN, after[index] ?? NaN];
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    const excess = Math.abs(a - b) / (atol + rtol * Math.abs(a));
    if (!(excess <= 1) && !(excess <= worst.excess)) worst = { excess, text: `value ${index}: ${a} became ${b}` };
  }
  return worst.text === "" ? null : worst.text;
}

interface Numbers {
  /** Everything but the numbers; must agree exactly. */
  readonly shape: string;
  readonly values: ArrayLike<number>;
}

function numbersOf(path: string, bytes: Uint8Array): Numbers | null {
  try {
    if (path.endsWith(".json")) return jsonNumbers(bytes);
    if (path.endsWith(".safetensors")) return tensorNumbers(bytes);
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
  return { shape, values };
}

/** safetensors: a little-endian u64 header length, a JSON header, then the data. Float32 alone may differ. */
function tensorNumbers(bytes: Uint8Array): Numbers | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header: Record<string, { dtype?: string }> = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  if (Object.entries(header).some(([name, { dtype }]) => name !== "__metadata__" && dtype !== "F32")) return null;
  return { shape: JSON.stringify(header), values: new Float32Array(bytes.slice(start).buffer) };
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function firstDifference({ before, after }: Pair): string {
  if (before.length !== after.length) return `${before.length} bytes became ${after.length}`;
  return `byte ${before.findIndex((value, index) => value !== after[index])} of ${before.length} differs`;
}
