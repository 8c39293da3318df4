/**
 * Safetensors of any type, by range. What this project writes itself is read as a whole by `nets/safetensors.ts`, which
 * knows just the types that it writes. Format: https://github.com/huggingface/safetensors#format.
 */
import { cursorOf, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype, DTYPE_BYTES, type Opened, type StoredTensor } from "./values.ts";

const LONGEST_HEADER = 100_000_000;
const METADATA = "__metadata__";

const TYPES: Readonly<Record<string, Dtype>> = {
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  I8: "int8",
  I16: "int16",
  I32: "int32",
  I64: "int64",
  U8: "uint8",
  U16: "uint16",
  U32: "uint32",
  U64: "uint64",
  BOOL: "bool",
};

/** Whether a file's first bytes are those of such a file: the length of a header, and its brace. */
export function isSafetensors(head: Uint8Array<ArrayBuffer>): boolean {
  return head.length >= 9 && head[8] === "{".charCodeAt(0) && head[6] === 0 && head[7] === 0;
}

/** Opens such a file. */
export async function openSafetensors(source: TensorSource): Promise<Opened> {
  const length = cursorOf(await readRange(source, { begin: 0, length: 8 })).u64();
  if (length > LONGEST_HEADER) throw new TensorFileError(`it is damaged: its header has ${length} bytes`);
  const header = parseHeader(await readRange(source, { begin: 8, length }));
  const start = 8 + length;
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  let end = 0;
  const entries = Object.entries(header).filter(([name]) => name !== METADATA);
  for (const [name, value] of entries) {
    const { dtype: type, shape, data_offsets: offsets } = isRecord(value) ? value : {};
    if (typeof type !== "string" || !isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      throw new TensorFileError(`it is damaged: its header does not describe "${name}"`);
    }
    const [from = 0, to = 0] = offsets;
    end = Math.max(end, to);
    const dtype = Object.hasOwn(TYPES, type) ? TYPES[type]! : null;
    if (dtype === null) {
      skipped.set(name, `values of the type ${type}`);
      continue;
    }
    const size = countOf(shape) * DTYPE_BYTES[dtype];
    if (to - from !== size) {
      throw new TensorFileError(`it is damaged: "${name}" [${shape}] takes ${size} bytes, and has ${to - from}`);
    }
    const bytes = () => readRange(source, { begin: start + from, length: size });
    tensors.set(name, { shape, dtype, bytes });
  }
  if (start + end > source.size) {
    throw new TensorFileError(`it is cut off: ${start + end} bytes must be there, ${source.size} are. Get it again`);
  }
  if (start + end < source.size) {
    throw new TensorFileError(`it is damaged: ${source.size - start - end} bytes at its end belong to no tensor`);
  }
  return { format: "safetensors", tensors, skipped };
}

function parseHeader(bytes: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new TensorFileError("it is damaged: its header is not JSON", { cause });
  }
  throw new TensorFileError("it is damaged: its header is no JSON object");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
