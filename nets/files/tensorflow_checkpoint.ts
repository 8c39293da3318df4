/**
 * TensorFlow's checkpoints (version 2): a sorted table of names in `NAME.index`, and the values in files beside it,
 * `NAME.data-00000-of-00001`. Every block and every tensor has a checksum, and all are checked.
 *
 * Ours because no package on npm reads them. Formats: tensorflow/core/protobuf/tensor_bundle.proto, and LevelDB's
 * table_format.md.
 */
import { maskedCrc32c } from "./checksum.ts";
import { fieldsOf, varint } from "./protobuf.ts";
import { decodeSnappy } from "./snappy.ts";
import { bytesSource, type Cursor, cursorOf, readRange, safe, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype, DTYPE_BYTES, type Opened, type StoredTensor } from "./values.ts";

/** What an index ends with. */
const MAGIC = 0xdb4775248b80fb57n;
const FOOTER = 48;
/** After each block: how it is compressed, and a checksum. */
const TRAILER = 5;
const [PLAIN, SNAPPY] = [0, 1];

/** `DataType` of types.proto. */
const TYPES: Readonly<Record<number, Dtype>> = {
  1: "float32",
  2: "float64",
  3: "int32",
  4: "uint8",
  5: "int16",
  6: "int8",
  9: "int64",
  10: "bool",
  14: "bfloat16",
  17: "uint16",
  19: "float16",
  22: "uint32",
  23: "uint64",
};
const HEADER = { shards: 1, endianness: 2 };
const ENTRY = { type: 1, shape: 2, shard: 3, offset: 4, size: 5, crc32c: 6, slices: 7 };
const SHAPE = { dim: 2 };
const DIM = { size: 1 };

/** Whether a file ends as an index does. */
export async function isCheckpointIndex(source: TensorSource): Promise<boolean> {
  if (source.size < FOOTER) return false;
  const tail = await readRange(source, { begin: source.size - 8, length: 8 });
  return new DataView(tail.buffer, tail.byteOffset).getBigUint64(0, true) === MAGIC;
}

/** Opens a checkpoint from its index. */
export async function openCheckpoint(source: TensorSource): Promise<Opened> {
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  const shards = new Map<number, TensorSource>();
  let [count, bigEndian] = [0, false];
  for (const { key, value } of await tableEntries(source)) {
    const message = bytesSource(value);
    if (key === "") {
      for await (const field of fieldsOf(message, { begin: 0, end: value.length })) {
        if (field.number === HEADER.shards) count = safe(field.value);
        if (field.number === HEADER.endianness) bigEndian = field.value === 1n;
      }
      continue;
    }
    if (count === 0) {
      throw new TensorFileError("it is a checkpoint of version 1. Expected is version 2: NAME.index with NAME.data-…");
    }
    const entry = await readEntry(message);
    const dtype = TYPES[entry.type];
    if (dtype === undefined || entry.sliced) {
      skipped.set(key, dtype === undefined ? `values of TensorFlow's type ${entry.type}` : "a tensor in slices");
      continue;
    }
    const length = countOf(entry.shape) * DTYPE_BYTES[dtype];
    if (entry.size !== length) {
      throw new TensorFileError(`it is damaged: "${key}" takes ${length} bytes, and ${entry.size} are there`);
    }
    const data = shards.get(entry.shard) ?? await openShard(source, { shard: entry.shard, count });
    shards.set(entry.shard, data);
    if (entry.offset + length > data.size) {
      throw new TensorFileError(
        `${data.name} is cut off or of another checkpoint: "${key}" ends at ${
          entry.offset + length
        } of ${data.size} bytes`,
      );
    }
    tensors.set(key, {
      shape: entry.shape,
      dtype,
      bigEndian,
      async bytes() {
        const bytes = await readRange(data, { begin: entry.offset, length });
        if (maskedCrc32c([bytes]) === entry.crc32c) return bytes;
        throw new TensorFileError(`${data.name} is damaged: the checksum of "${key}" is wrong. Get it again`);
      },
    });
  }
  return { format: "TensorFlow checkpoint", tensors, skipped };
}

async function openShard(
  source: TensorSource,
  { shard, count }: { shard: number; count: number },
): Promise<TensorSource> {
  const number = (value: number) => `${value}`.padStart(5, "0");
  const name = `${source.name.replace(/^.*[/\\]/, "").replace(/\.index$/, "")}.data-${number(shard)}-of-${
    number(count)
  }`;
  const data = await source.beside?.(name) ?? null;
  if (data === null) {
    throw new TensorFileError(`its values lie in ${name}, which is not there. Put it beside the index`);
  }
  return data;
}

async function readEntry(message: TensorSource) {
  const entry = { type: 0, shape: [] as number[], shard: 0, offset: 0, size: 0, crc32c: 0, sliced: false };
  for await (const field of fieldsOf(message, { begin: 0, end: message.size })) {
    if (field.number === ENTRY.type) entry.type = safe(field.value);
    else if (field.number === ENTRY.shard) entry.shard = safe(field.value);
    else if (field.number === ENTRY.offset) entry.offset = safe(field.value);
    else if (field.number === ENTRY.size) entry.size = safe(field.value);
    else if (field.number === ENTRY.crc32c) entry.crc32c = safe(field.value);
    else if (field.number === ENTRY.slices) entry.sliced = true;
    else if (field.number === ENTRY.shape) {
      for await (const dim of fieldsOf(message, field)) {
        if (dim.number !== SHAPE.dim) continue;
        let size = 0;
        for await (const part of fieldsOf(message, dim)) if (part.number === DIM.size) size = safe(part.value);
        entry.shape.push(size);
      }
    }
  }
  return entry;
}

/** All keys and values of a table. */
async function tableEntries(source: TensorSource): Promise<{ key: string; value: Uint8Array<ArrayBuffer> }[]> {
  const footer = cursorOf(await readRange(source, { begin: source.size - FOOTER, length: FOOTER }));
  handle(footer); // of an index of further blocks, which checkpoints do not have
  const index = blockEntries(await readBlock(source, handle(footer)));
  const entries: { key: string; value: Uint8Array<ArrayBuffer> }[] = [];
  let end = 0;
  for (const { value } of index) {
    const place = handle(cursorOf(value));
    if (place.begin < end) throw new TensorFileError("it is damaged: its index names a block twice");
    end = place.begin + place.length;
    entries.push(...blockEntries(await readBlock(source, place)));
  }
  return entries;
}

function handle(cursor: Cursor): { begin: number; length: number } {
  return { begin: safe(varint(cursor)), length: safe(varint(cursor)) };
}

async function readBlock(source: TensorSource, { begin, length }: { begin: number; length: number }) {
  const block = await readRange(source, { begin, length: length + TRAILER });
  const trailer = cursorOf(block.subarray(length));
  const [kind, sum] = [trailer.u8(), trailer.u32()];
  if (maskedCrc32c([block.subarray(0, length + 1)]) !== sum) {
    throw new TensorFileError("it is damaged: the checksum of a block is wrong. Get it again");
  }
  if (kind !== PLAIN && kind !== SNAPPY) {
    throw new TensorFileError(`a block is compressed by method ${kind}, not Snappy`);
  }
  const content = block.subarray(0, length);
  return kind === PLAIN ? content : decodeSnappy(content);
}

/** A key holds only what differs from the key before. */
function blockEntries(block: Uint8Array<ArrayBuffer>): { key: string; value: Uint8Array<ArrayBuffer> }[] {
  if (block.length < 4) throw new TensorFileError("it is damaged: a block is too short");
  const restarts = cursorOf(block.subarray(block.length - 4)).u32();
  const cursor = cursorOf(block.subarray(0, Math.max(0, block.length - 4 - 4 * restarts)));
  const entries: { key: string; value: Uint8Array<ArrayBuffer> }[] = [];
  let key = new Uint8Array();
  while (cursor.left > 0) {
    const [shared, own, length] = [safe(varint(cursor)), safe(varint(cursor)), safe(varint(cursor))];
    if (shared > key.length) throw new TensorFileError("it is damaged: a name in it refers to none");
    const rest = cursor.bytes(own);
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(rest, shared);
    key = next;
    entries.push({ key: new TextDecoder().decode(key), value: cursor.bytes(length) });
  }
  return entries;
}
