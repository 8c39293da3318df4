/**
 * Tensor files: eight bytes of header length (little-endian), a JSON header padded with spaces to a multiple of eight,
 * then the tensors' bytes without a gap. Tensors are laid out by name and aligned by element size, so equal tensors
 * give equal bytes. Half precision exists in the file only: in memory it is a `Float32Array`.
 *
 * Format: https://github.com/huggingface/safetensors#format. As there, a file with holes, overlaps or trailing bytes is
 * refused. This module is our own because no package on npm writes the format: `@huggingface/hub` reads headers only.
 */

/** One dense row-major tensor. A scalar has shape `[]`. */
export interface SafeTensor {
  shape: number[];
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** A tensor to be written. */
export interface TensorToEncode {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint32Array | Uint8Array;
  /** Stores a `Float32Array` in half precision: two bytes a value, rounded to the nearest, ties to even. */
  half?: boolean;
}

/** Tensors by name. */
export type TensorRecord = Record<string, SafeTensor>;

interface HeaderEntry {
  dtype: DtypeName;
  shape: number[];
  begin: number;
  end: number;
}

const DTYPES = {
  F32: { array: Float32Array, size: 4 },
  F16: { array: Float16Array, size: 2 },
  I32: { array: Int32Array, size: 4 },
  U32: { array: Uint32Array, size: 4 },
  U8: { array: Uint8Array, size: 1 },
} as const;
type DtypeName = keyof typeof DTYPES;

const MAX_HEADER = 100_000_000;
const METADATA = "__metadata__";

/**
 * Encodes tensors of type F32, F16, I32, U32 or U8.
 *
 * @param tensors Name → tensor; the order of the record does not matter to the bytes.
 * @param metadata Free text entries for the header's `__metadata__`.
 * @returns The bytes of a safetensors file.
 * @throws {TypeError} If a shape does not fit its data, a name is reserved, or integers are asked for in half
 * precision.
 * @throws {RangeError} If a finite value is too large for half precision (65520 or more).
 */
export function encodeSafetensors(
  tensors: Record<string, TensorToEncode>,
  metadata?: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  const order = Object.entries(tensors).map(([name, { shape, data: values, half = false }]) => {
    if (name === METADATA) throw new TypeError(`Cannot encode tensor: the name "${METADATA}" is reserved`);
    const count = elementCount(shape, name);
    if (count !== values.length) {
      throw new TypeError(
        `Cannot encode tensor "${name}": shape [${shape}] holds ${count} elements, its data ${values.length}`,
      );
    }
    const data = half ? toHalf(values, name) : values;
    return { name, shape, data, dtype: dtypeOf(data) };
  });
  order.sort((a, b) => DTYPES[b.dtype].size - DTYPES[a.dtype].size || (a.name < b.name ? -1 : 1));

  const header: [string, unknown][] = [];
  if (metadata) {
    header.push([
      METADATA,
      Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => a < b ? -1 : 1)),
    ]);
  }
  let offset = 0;
  for (const { name, shape, data, dtype } of order) {
    header.push([name, { dtype, shape, data_offsets: [offset, offset + data.byteLength] }]);
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerLength = Math.ceil(json.length / 8) * 8;

  const bytes = new Uint8Array(8 + headerLength + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8 + json.length, 8 + headerLength);
  bytes.set(json, 8);
  let at = 8 + headerLength;
  for (const { data } of order) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Decodes all tensors of a file. The arrays are copies: `bytes` may be reused. Type F16 becomes a `Float32Array`,
 * exactly.
 *
 * @throws {SyntaxError} If the file is truncated, its header is not what the format asks for, the tensors' ranges do
 * not cover the data exactly once, or a tensor has another type than F32, F16, I32, U32, U8.
 */
export function decodeSafetensors(bytes: Uint8Array): TensorRecord {
  const { entries, data } = readHeader(bytes);
  return Object.fromEntries(entries.map(([name, { dtype, shape, begin, end }]) => {
    const buffer = new Uint8Array(data.subarray(begin, end)).buffer;
    const values = new DTYPES[dtype].array(buffer);
    return [name, { shape, data: values instanceof Float16Array ? new Float32Array(values) : values }];
  }));
}

/** The header's `__metadata__` entries; empty if there are none. Throws as {@linkcode decodeSafetensors} does. */
export function safetensorsMetadata(bytes: Uint8Array): Record<string, string> {
  return readHeader(bytes).metadata;
}

/** All values of a file, as they lie behind its header. Throws as {@linkcode decodeSafetensors} does. */
export function tensorBytes(bytes: Uint8Array): Uint8Array {
  return readHeader(bytes).data;
}

function readHeader(bytes: Uint8Array) {
  if (bytes.length < 8) throw refuse(`${bytes.length} bytes are too few for a header`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER)) throw refuse(`a header of ${declared} bytes is over the limit of ${MAX_HEADER}`);
  const length = Number(declared);
  if (8 + length > bytes.length) throw refuse(`the header needs ${length} bytes, ${bytes.length - 8} are there`);
  const data = bytes.subarray(8 + length);
  const { [METADATA]: metadata = {}, ...tensors } = parseObject(bytes.subarray(8, 8 + length));
  const entries = Object.entries(tensors).map(([name, value]) => [name, readEntry(name, value)] as const);

  let covered = 0;
  for (const [name, { begin, end }] of entries.toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw refuse(`tensor "${name}" begins at ${begin}, the data before it ends at ${covered}`);
    covered = end;
  }
  if (covered !== data.length) throw refuse(`the tensors cover ${covered} bytes, the file holds ${data.length}`);
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse(`"${METADATA}" is not a map of strings`);
  }
  return { entries, data, metadata: metadata as Record<string, string> };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw refuse('the header does not start with "{"');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse("the header is not JSON in UTF-8", cause);
  }
  if (!isObject(value)) throw refuse("the header is not a JSON object");
  return value;
}

function readEntry(name: string, value: unknown): HeaderEntry {
  if (!isObject(value)) throw refuse(`the entry of tensor "${name}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPES, dtype)) {
    throw refuse(
      `tensor "${name}" has type ${JSON.stringify(dtype)}; this reader knows ${Object.keys(DTYPES).join(", ")}`,
    );
  }
  if (!isSizes(shape)) throw refuse(`tensor "${name}" has shape ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw refuse(`tensor "${name}" has data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin = 0, end = 0] = offsets;
  const needed = elementCount(shape, name) * DTYPES[dtype as DtypeName].size;
  if (end - begin !== needed) {
    throw refuse(`tensor "${name}" needs ${needed} bytes, its data_offsets span ${end - begin}`);
  }
  return { dtype: dtype as DtypeName, shape, begin, end };
}

function toHalf(values: TensorToEncode["data"], name: string): Float16Array {
  if (!(values instanceof Float32Array)) {
    throw new TypeError(`Cannot encode tensor "${name}" in half precision: its data are ${values.constructor.name}`);
  }
  const halves = new Float16Array(values);
  const at = halves.findIndex((half, i) => Math.abs(half) === Infinity && Math.abs(values[i]!) !== Infinity);
  if (at >= 0) {
    throw new RangeError(
      `Cannot encode tensor "${name}" in half precision: value ${at} is ${values[at]}, the largest half is 65504`,
    );
  }
  return halves;
}

function dtypeOf(data: TensorToEncode["data"] | Float16Array): DtypeName {
  if (data instanceof Float32Array) return "F32";
  if (data instanceof Float16Array) return "F16";
  if (data instanceof Int32Array) return "I32";
  return data instanceof Uint32Array ? "U32" : "U8";
}

function elementCount(shape: readonly number[], name: string): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!isSizes(shape) || !Number.isSafeInteger(count)) throw new TypeError(`Tensor "${name}" has shape [${shape}]`);
  return count;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(why: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read safetensors: ${why}`, cause === undefined ? undefined : { cause });
}
