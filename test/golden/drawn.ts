/** Drawn weights of networks, value for value those of test/golden/drawn.py. */
import { hash } from "./images.ts";

/** A tensor that was drawn. */
export interface DrawnTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A hash of a name (FNV-1a, 32 bits). */
function nameHash(name: string): number {
  let first = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) first = Math.imul(first ^ byte, 0x01000193) >>> 0;
  return first;
}

/** Numbers in 0..1, beginning where the name says. */
export function drawnUniform(name: string, size: number): Float64Array {
  const first = nameHash(name);
  return Float64Array.from({ length: size }, (_, i) => hash(first + i) / 2 ** 32);
}

/** One tensor of a PyTorch state dict. */
export function drawn(name: string, shape: readonly number[]): DrawnTensor {
  return draw(name, { shape, outputs: shape[0]!, isGain: /(running_var|weight)$/.test(name) });
}

/** One variable of a TensorFlow checkpoint. */
export function drawnTensorflow(name: string, shape: readonly number[]): DrawnTensor {
  const isTransposed = shape.length === 4 && /(conv2d_transpose(_\d+)?|g_[shl]\d+(_res)?)\/kernel$/.test(name);
  return draw(name, {
    shape,
    outputs: shape[isTransposed ? 2 : shape.length - 1]!,
    isGain: /(moving_variance|gamma)$/.test(name),
  });
}

function draw(
  name: string,
  { shape, outputs, isGain }: { shape: readonly number[]; outputs: number; isGain: boolean },
): DrawnTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const [first, data] = [nameHash(name), new Float32Array(size)];
  const scale = Math.sqrt(6 / (size / outputs));
  for (let i = 0; i < size; i++) {
    const value = hash(first + i) / 2 ** 32;
    data[i] = shape.length >= 2 ? scale * (2 * value - 1) : isGain ? 0.5 + value : 0.4 * (value - 0.5);
  }
  return { shape, data };
}

/** All tensors of a state dict, by the names and shapes that a golden file has. */
export function drawnState(shapes: Readonly<Record<string, readonly number[]>>): Record<string, DrawnTensor> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, drawn(name, shape)]));
}

/** All variables of a checkpoint, likewise. */
export function drawnCheckpoint(shapes: Readonly<Record<string, readonly number[]>>): Record<string, DrawnTensor> {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, drawnTensorflow(name, shape)]));
}

/** Numbers of a text that drawn.py wrote. */
export function numbers(text: string): Float64Array<ArrayBuffer> {
  return Float64Array.from(text.split(" "), Number);
}

/** Pictures [count, size, size, 3] in 0..1. */
export function drawnFaces(count: number, size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count * size * size * 3 }, (_, pixel) => {
    const [c, x, y] = [pixel % 3, Math.floor(pixel / 3) % size, Math.floor(pixel / 3 / size) % size];
    const n = Math.floor(pixel / 3 / size / size);
    const patch = ((n * size + Math.floor(y / 16)) * size + Math.floor(x / 16)) * 3 + c;
    return (hash(patch) % 200 + hash(pixel) % 56) / 255;
  });
}
