/**
 * A tensor as a file holds it, and its values as typed arrays. Every reader describes its tensors so; what differs
 * between the formats (types, byte order, order of the axes) is undone here, once.
 */
import { TensorFileError } from "./source.ts";

/** Bytes of one value of each type. */
export const DTYPE_BYTES = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
} as const;

/** The type of a tensor's values, as NumPy and PyTorch name it. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** Values of a tensor. Both half precisions become `Float32Array`, which is exact; `bool` becomes 0 and 1. */
export type TensorValues =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** What a file says of one tensor. A scalar has shape `[]`. */
export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Whether the file holds it with the most significant byte first; its values are converted. */
  readonly bigEndian?: boolean;
}

/** A tensor that can be read. */
export interface StoredTensor extends TensorInfo {
  /** The type of the bytes, where it is not `dtype`: MATLAB stores whole numbers in fewer bytes. */
  readonly stored?: Dtype;
  /** Elements between neighbours along each axis; default: the last axis is the closest. */
  readonly strides?: readonly number[];
  /** All values as the file has them, from the first to the last. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a reader finds in a file. */
export interface Opened {
  /** For example `PyTorch archive`. */
  readonly format: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What is there and is no dense tensor of numbers: name → what it is. */
  readonly skipped: ReadonlyMap<string, string>;
}

const ARRAYS = {
  float16: Float16Array,
  bfloat16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** More axes than NumPy allows. */
const MOST_AXES = 64;

/**
 * How many values a shape holds.
 *
 * @throws {TensorFileError} if it is no shape
 */
export function countOf(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  const isShape = shape.length <= MOST_AXES && shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isShape || !Number.isSafeInteger(count)) {
    throw new TensorFileError("it is damaged: the sizes of a tensor cannot be");
  }
  return count;
}

/** Elements between neighbours along each axis, where the first axis is the closest (Fortran, MATLAB). */
export function firstAxisClosest(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
}

/** Elements from a tensor's first to its last, both included. */
export function spanOf({ shape, strides }: Pick<StoredTensor, "shape" | "strides">): number {
  const count = countOf(shape);
  if (strides === undefined || count === 0) return count;
  return 1 + shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
}

/** Reads a tensor's values, the last axis closest. */
export async function valuesOf(tensor: StoredTensor): Promise<TensorValues> {
  const { dtype, stored = dtype, shape } = tensor;
  const bytes = await tensor.bytes();
  const needed = spanOf(tensor) * DTYPE_BYTES[stored];
  if (bytes.length !== needed) {
    throw new TensorFileError(`it is damaged: a tensor [${shape}] takes ${needed} bytes, and has ${bytes.length}`);
  }
  const raw = rawValues(bytes, { stored, swap: tensor.bigEndian === true });
  const values = widened(raw, stored);
  return inOrder(stored === dtype ? values : converted(values, dtype), tensor);
}

/** As `Float32Array`, rounded to the nearest where the type is wider. */
export function toFloats(values: TensorValues): Float32Array<ArrayBuffer> {
  if (values instanceof Float32Array) return values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return Float32Array.from(values, Number);
  return new Float32Array(values);
}

type RawValues = TensorValues | Float16Array<ArrayBuffer>;

/** Bytes as an array of their type. What is a part of something larger is copied: the larger may then be freed. */
function rawValues(bytes: Uint8Array<ArrayBuffer>, { stored, swap }: { stored: Dtype; swap: boolean }): RawValues {
  const size = DTYPE_BYTES[stored];
  const own = bytes.byteLength === bytes.buffer.byteLength && !swap ? bytes : bytes.slice();
  if (swap && size > 1) {
    for (let at = 0; at < own.length; at += size) own.subarray(at, at + size).reverse();
  }
  return new ARRAYS[stored](own.buffer);
}

function widened(values: RawValues, stored: Dtype): TensorValues {
  if (values instanceof Float16Array) return new Float32Array(values);
  if (stored !== "bfloat16") return values;
  return new Float32Array(Uint32Array.from(values as Uint16Array, (bits) => bits << 16).buffer);
}

function converted(values: TensorValues, dtype: Dtype): TensorValues {
  const numbers = values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values, Number)
    : values;
  if (dtype === "int64") return BigInt64Array.from(numbers, (value) => BigInt(Math.trunc(value)));
  if (dtype === "uint64") return BigUint64Array.from(numbers, (value) => BigInt(Math.trunc(value)));
  if (dtype === "float16" || dtype === "bfloat16") return new Float32Array(numbers);
  return new ARRAYS[dtype](numbers);
}

/** The same values, the last axis closest. */
function inOrder(values: TensorValues, { shape, strides }: StoredTensor): TensorValues {
  if (strides === undefined || isPlain(shape, strides)) return values;
  const count = countOf(shape);
  const result = new (values.constructor as new (length: number) => TensorValues)(count);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    result[to] = values[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

function isPlain(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
