/**
 * NumPy's `.npy` and `.npz`.
 *
 * Ours because no package fits: `npyjs` (1.2.0) refuses big-endian values and `numpy-parser` (1.2.3) Fortran's order;
 * both want the whole file in memory, and neither reads `.npz`. Format: numpy/lib/format.py (BSD).
 */
import { numpyType } from "./pickled_arrays.ts";
import { cursorOf, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, DTYPE_BYTES, firstAxisClosest, type Opened, type StoredTensor } from "./values.ts";
import { readMember, readMemberFrom, type ZipMember } from "./zip.ts";

/** What a `.npy` begins with. */
export const NPY_MAGIC = "\x93NUMPY";
/** Magic, version, and the length of the header in up to 4 bytes. */
const BEFORE_HEADER = 12;
/** NumPy's own limit. */
const LONGEST_HEADER = 10_000;

interface NpyHeader {
  readonly begin: number;
  readonly type: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** Gets a range of a `.npy`. */
type ReadPart = (begin: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Opens a `.npy`; its one tensor is named "". */
export async function openNpy(source: TensorSource): Promise<Opened> {
  const found = await openArray((begin, length) => readRange(source, { begin, length }), source.size);
  const isTensor = typeof found !== "string";
  return {
    format: "NumPy array",
    tensors: new Map(isTensor ? [["", found]] : []),
    skipped: new Map(isTensor ? [] : [["", found]]),
  };
}

/** Opens a `.npz`. */
export async function openNpz(source: TensorSource, members: ReadonlyMap<string, ZipMember>): Promise<Opened> {
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  for (const member of members.values()) {
    const name = member.name.replace(/\.npy$/, "");
    if (name === member.name) {
      skipped.set(name, "a file that is no array");
      continue;
    }
    const read: ReadPart = (begin, length) => readMember(source, { member, begin, length });
    const found = await openArray(read, member.size);
    if (typeof found === "string") skipped.set(name, found);
    // to its end, so that its checksum is looked at
    else tensors.set(name, { ...found, bytes: () => readMemberFrom(source, { member, begin: found.begin }) });
  }
  return { format: "NumPy archive", tensors, skipped };
}

/** The array of a `.npy`, or what it is instead. */
async function openArray(read: ReadPart, size: number): Promise<StoredTensor & { begin: number } | string> {
  const { begin, type, fortran, shape } = await readHeader(read, size);
  const found = numpyType(type);
  if (found === null) return type.includes("O") ? "an array of Python objects" : `an array of the type ${type}`;
  const length = countOf(shape) * DTYPE_BYTES[found.dtype];
  if (begin + length !== size) {
    const what = begin + length > size ? "it is cut off" : "it is damaged";
    throw new TensorFileError(`${what}: an array [${shape}] takes ${length} bytes, and ${size - begin} are there`);
  }
  const strides = fortran ? { strides: firstAxisClosest(shape) } : {};
  return { shape, ...found, ...strides, begin, bytes: () => read(begin, length) };
}

async function readHeader(read: ReadPart, size: number): Promise<NpyHeader> {
  const start = cursorOf(await read(0, Math.min(BEFORE_HEADER, size)));
  if (start.text(NPY_MAGIC.length) !== NPY_MAGIC) throw new TensorFileError("it is no array of NumPy");
  const version = start.u8();
  start.u8();
  const length = version === 1 ? start.u16() : start.u32();
  const before = start.at;
  if (length > LONGEST_HEADER) throw new TensorFileError(`it is damaged: its header has ${length} bytes`);
  if (before + length > size) throw new TensorFileError("it is cut off within its header. Get it again");
  const text = new TextDecoder().decode(await read(before, length));
  const type = /'descr'\s*:\s*('[^']*'|\[)/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (type === undefined || order === undefined || sizes === undefined) {
    throw new TensorFileError("it is damaged: its header does not say type, order and shape");
  }
  const shape = sizes.split(",").map((one) => one.trim().replace(/L$/, "")).filter((one) => one !== "").map(Number);
  return {
    begin: before + length,
    type: type === "[" ? "of several values" : type.slice(1, -1),
    fortran: order === "True",
    shape,
  };
}
