/**
 * MATLAB's files of versions 5 to 7, such as the Basel Face Model of 2009. Numeric arrays are read; texts, cells,
 * structures, complex and sparse arrays are named.
 *
 * Ours because no package fits: `mat-for-js` is under the GPL, and it wants the whole file in memory. Format:
 * MathWorks, MAT-File Format, version 5.
 */
import { type Deflated, inflate } from "./inflate.ts";
import { cursorOf, latin1, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype, DTYPE_BYTES, firstAxisClosest, type Opened, type StoredTensor } from "./values.ts";

/** Bytes of the file's header. */
const HEADER = 128;
/** Text that says what wrote the file. */
const TITLE = 116;
/** More than flags, sizes and a name take. */
const HEAD = 4096;
const [MATRIX, COMPRESSED, INT32, UINT32] = [14, 15, 5, 6];
const COMPLEX = 0x08;

/** Types of stored values, by number. */
const STORED: Readonly<Record<number, Dtype>> = {
  1: "int8",
  2: "uint8",
  3: "int16",
  4: "uint16",
  [INT32]: "int32",
  [UINT32]: "uint32",
  7: "float32",
  9: "float64",
  12: "int64",
  13: "uint64",
};

/** Classes of arrays, by number: a type, or what it is instead. */
const CLASSES: Readonly<Record<number, { dtype: Dtype } | string>> = {
  1: "a cell array",
  2: "a structure",
  3: "an object",
  4: "a text",
  5: "a sparse matrix",
  6: { dtype: "float64" },
  7: { dtype: "float32" },
  8: { dtype: "int8" },
  9: { dtype: "uint8" },
  10: { dtype: "int16" },
  11: { dtype: "uint16" },
  12: { dtype: "int32" },
  13: { dtype: "uint32" },
  14: { dtype: "int64" },
  15: { dtype: "uint64" },
};

/** Gets bytes of an array from its start; `last` where nothing more is read, and its checksum is to be looked at. */
type ReadPart = (part: { skip?: number; length: number; last?: boolean }) => Promise<Uint8Array<ArrayBuffer>>;

interface Element {
  readonly type: number;
  readonly length: number;
  /** Where its bytes begin. */
  readonly begin: number;
  /** Where the next element begins. */
  readonly next: number;
}

/** Whether a file's first bytes are those of such a file. */
export function isMatlab5(head: Uint8Array): boolean {
  return head.length >= HEADER && ["IM", "MI"].includes(latin1(head.subarray(126, HEADER))) &&
    latin1(head.subarray(0, 6)) === "MATLAB";
}

/** Opens such a file. */
export async function openMatlab5(source: TensorSource): Promise<Opened> {
  const head = await readRange(source, { begin: 0, length: HEADER });
  const title = latin1(head.subarray(0, TITLE));
  const littleEndian = head[126] === "I".charCodeAt(0);
  const version = cursorOf(head.subarray(124), littleEndian).u16();
  if (version === 0x0200 || /^MATLAB 7\.3/.test(title)) {
    throw new TensorFileError(
      "it is a MATLAB file of version 7.3, which is HDF5 inside. Expected is one of version 5 to 7: " +
        "get the authors' own file, or save it again in MATLAB with -v7",
    );
  }
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  for (let at = HEADER; at < source.size;) {
    const tag = cursorOf(await readRange(source, { begin: at, length: 8 }), littleEndian);
    const [type, length] = [tag.u32(), tag.u32()];
    const begin = at + 8;
    if (begin + length > source.size) {
      throw new TensorFileError(
        `it is cut off: ${begin + length} bytes must be there, ${source.size} are. Get it again`,
      );
    }
    if (type !== MATRIX && type !== COMPRESSED) throw new TensorFileError(`it is damaged: at ${at} is no array`);
    const part = type === MATRIX
      ? plain(source, { begin, length })
      : await packed({ source, begin, length }, littleEndian);
    const { name, found } = await openMatrix(part, littleEndian);
    if (typeof found === "string") skipped.set(name, found);
    else tensors.set(name, found);
    at = begin + length;
  }
  return { format: "MATLAB 5 file", tensors, skipped };
}

function plain(source: TensorSource, { begin, length: size }: { begin: number; length: number }) {
  const read: ReadPart = ({ skip = 0, length }) => readRange(source, { begin: begin + skip, length });
  return { size, read };
}

/** A compressed element holds a tag and the array. */
async function packed(where: Omit<Deflated, "format">, littleEndian: boolean) {
  const deflated: Deflated = { ...where, format: "deflate" };
  const tag = cursorOf(await inflate(deflated, { length: 8 }), littleEndian);
  const [type, size] = [tag.u32(), tag.u32()];
  if (type !== MATRIX) throw new TensorFileError("it is damaged: a compressed part holds no array");
  const read: ReadPart = ({ skip = 0, length, last = false }) =>
    inflate(deflated, { skip: skip + 8, length, ...(last ? { total: size + 8 } : {}) });
  return { size, read };
}

async function openMatrix(
  { size, read }: { size: number; read: ReadPart },
  littleEndian: boolean,
): Promise<{ name: string; found: StoredTensor | string }> {
  const head = await read({ length: Math.min(size, HEAD) });
  const flags = element(head, { at: 0, littleEndian });
  const bits = cursorOf(head.subarray(flags.begin), littleEndian).u32();
  const sizes = element(head, { at: flags.next, littleEndian });
  const shape = numbers(head, { ...sizes, littleEndian });
  const named = element(head, { at: sizes.next, littleEndian });
  if (flags.type !== UINT32 || sizes.type !== INT32 || named.begin + named.length > head.length) {
    throw new TensorFileError("it is damaged: an array in it lacks its description");
  }
  const name = new TextDecoder().decode(head.subarray(named.begin, named.begin + named.length));
  const kind = CLASSES[bits & 0xff] ?? "an array of an unknown class";
  if (typeof kind === "string") return { name, found: kind };
  if (bits >> 8 & COMPLEX) return { name, found: "a complex array" };
  if (named.next + 8 > size) throw new TensorFileError(`it is damaged: "${name}" has no values`);
  const tag = await read({ skip: named.next, length: Math.min(size - named.next, 16) });
  const data = element(tag, { at: 0, littleEndian });
  const stored = STORED[data.type];
  const length = stored === undefined ? -1 : countOf(shape) * DTYPE_BYTES[stored];
  const begin = named.next + data.begin;
  if (stored === undefined || data.length !== length || begin + length > size) {
    throw new TensorFileError(`it is damaged: "${name}" [${shape}] does not have the bytes that it needs`);
  }
  const strides = firstAxisClosest(shape);
  const bytes = () => read({ skip: begin, length, last: true });
  return { name, found: { shape, ...kind, stored, strides, bigEndian: !littleEndian, bytes } };
}

/** An element's tag. One of up to 4 bytes has its length in the upper half of the type, and its bytes follow. */
function element(
  bytes: Uint8Array<ArrayBuffer>,
  { at, littleEndian }: { at: number; littleEndian: boolean },
): Element {
  const tag = cursorOf(bytes.subarray(at), littleEndian);
  const first = tag.u32();
  if (first >>> 16 !== 0) {
    return { type: first & 0xffff, length: first >>> 16, begin: at + 4, next: at + 8 };
  }
  const length = tag.u32();
  return { type: first, length, begin: at + 8, next: at + 8 + length + (-length & 7) };
}

function numbers(
  bytes: Uint8Array<ArrayBuffer>,
  { begin, length, littleEndian }: Element & { littleEndian: boolean },
): number[] {
  const cursor = cursorOf(bytes.subarray(begin, begin + length), littleEndian);
  return Array.from({ length: Math.floor(length / 4) }, () => cursor.i32());
}
