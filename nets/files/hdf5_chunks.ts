/** HDF5's datasets in chunks: a B-tree of chunks, each as it is or deflated, and perhaps shuffled by bytes. */
import { inflate } from "./inflate.ts";
import { OFFSET, UNDEFINED } from "./hdf5_messages.ts";
import { cursorOf, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf } from "./values.ts";

/** A dataset in chunks. */
export interface Chunks {
  readonly shape: readonly number[];
  /** Bytes of a value. */
  readonly bytes: number;
  readonly chunk: readonly number[];
  /** Address of the tree. */
  readonly tree: number;
  /** The message that names the filters. */
  readonly filters: Uint8Array<ArrayBuffer> | null;
}

interface Filters {
  readonly deflate: boolean;
  readonly shuffle: boolean;
  /** Four bytes after the values, which are not checked. */
  readonly sum: boolean;
}

interface Chunk {
  /** First position along each axis. */
  readonly origin: readonly number[];
  readonly begin: number;
  readonly length: number;
  /** Filters that this chunk went without, a bit each. */
  readonly mask: number;
}

const NO_FILTERS: Filters = { deflate: false, shuffle: false, sum: false };
const [DEFLATE, SHUFFLE, FLETCHER32] = [1, 2, 3];

/** All values of a dataset. */
export async function readChunks(source: TensorSource, dataset: Chunks): Promise<Uint8Array<ArrayBuffer>> {
  const { shape, chunk, bytes, tree } = dataset;
  const filters = dataset.filters === null ? NO_FILTERS : readFilters(dataset.filters);
  if (chunk.length !== shape.length || chunk.some((side) => side < 1)) {
    throw new TensorFileError(`it is damaged: a dataset [${shape}] has chunks of [${chunk}]`);
  }
  const found = tree === UNDEFINED ? [] : await chunksBelow(source, { node: tree, rank: shape.length });
  const needed = countOf(shape.map((size, axis) => Math.ceil(size / chunk[axis]!)));
  if (found.length !== needed) {
    throw new TensorFileError(`a dataset [${shape}] has ${found.length} of its ${needed} chunks: values are missing`);
  }
  let result: Uint8Array<ArrayBuffer> | null = null;
  for (const one of found) {
    const values = await readChunk(source, { chunk: one, size: countOf(chunk) * bytes, filters });
    // only now is it known that a chunk has so many values
    result ??= new Uint8Array(countOf(shape) * bytes);
    place(filters.shuffle ? unshuffled(values, bytes) : values, { origin: one.origin, dataset, result });
  }
  return result ?? new Uint8Array();
}

async function readChunk(
  source: TensorSource,
  { chunk: { begin, length, mask }, size, filters }: { chunk: Chunk; size: number; filters: Filters },
): Promise<Uint8Array<ArrayBuffer>> {
  if (mask !== 0) {
    throw new TensorFileError("it has chunks that went without a filter, which this reader does not know");
  }
  const stored = length - (filters.sum ? 4 : 0);
  if (filters.deflate) {
    return await inflate({ source, begin, length: stored, format: "deflate" }, { length: size, total: size });
  }
  if (stored !== size) throw new TensorFileError(`it is damaged: a chunk has ${stored} bytes instead of ${size}`);
  return await readRange(source, { begin, length: size });
}

function readFilters(message: Uint8Array<ArrayBuffer>): Filters {
  const cursor = cursorOf(message);
  const [version, count] = [cursor.u8(), cursor.u8()];
  cursor.at = version === 1 ? 8 : 2;
  const ids: number[] = [];
  for (let i = 0; i < count; i++) {
    const id = cursor.u16();
    const nameLength = version === 1 || id >= 256 ? cursor.u16() : 0;
    cursor.at += 2;
    const values = cursor.u16();
    cursor.bytes(nameLength + 4 * values + (version === 1 && values % 2 === 1 ? 4 : 0));
    ids.push(id);
  }
  const unknown = ids.find((id) => ![DEFLATE, SHUFFLE, FLETCHER32].includes(id));
  if (unknown !== undefined) {
    throw new TensorFileError(`it is compressed by HDF5's filter ${unknown}, which is not known`);
  }
  const last = ids.at(-1);
  if (ids.includes(FLETCHER32) && last !== FLETCHER32) throw new TensorFileError("its checksums are compressed");
  return { deflate: ids.includes(DEFLATE), shuffle: ids.includes(SHUFFLE), sum: ids.includes(FLETCHER32) };
}

async function chunksBelow(
  source: TensorSource,
  { node, rank, visited = new Set() }: { node: number; rank: number; visited?: Set<number> },
): Promise<Chunk[]> {
  if (visited.has(node)) throw new TensorFileError("it is damaged: a tree of chunks grows into itself");
  visited.add(node);
  const head = cursorOf(await readRange(source, { begin: node, length: 8 }));
  if (head.text(4) !== "TREE" || head.u8() !== 1) {
    throw new TensorFileError("it is damaged: a dataset has no tree of chunks");
  }
  const [level, count] = [head.u8(), head.u16()];
  const key = 8 + OFFSET * (rank + 1);
  const length = count * (key + OFFSET) + key;
  const body = cursorOf(await readRange(source, { begin: node + 8 + 2 * OFFSET, length }));
  const found: Chunk[] = [];
  for (let i = 0; i < count; i++) {
    body.at = i * (key + OFFSET);
    const [size, mask] = [body.u32(), body.u32()];
    const origin = Array.from({ length: rank }, () => body.u64());
    body.at += OFFSET;
    const begin = body.u64();
    if (level === 0) found.push({ origin, begin, length: size, mask });
    else found.push(...await chunksBelow(source, { node: begin, rank, visited }));
  }
  return found;
}

/** The first bytes of all values, then the second, … → value by value. */
function unshuffled(raw: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  const count = raw.length / bytes;
  const result = new Uint8Array(raw.length);
  for (let byte = 0; byte < bytes; byte++) {
    for (let i = 0; i < count; i++) result[i * bytes + byte] = raw[byte * count + i]!;
  }
  return result;
}

/** Copies a chunk's rows to where they belong; what hangs over the dataset's edge is left out. */
function place(
  raw: Uint8Array,
  { origin, dataset, result }: { origin: readonly number[]; dataset: Chunks; result: Uint8Array },
): void {
  const { shape, chunk, bytes } = dataset;
  const rank = shape.length;
  if (rank === 0) return result.set(raw);
  if (origin.some((at, axis) => at >= shape[axis]! || at % chunk[axis]! !== 0)) {
    throw new TensorFileError("it is damaged: a chunk lies outside of its dataset");
  }
  const rows = countOf(chunk.slice(0, -1));
  const width = Math.min(chunk[rank - 1]!, shape[rank - 1]! - origin[rank - 1]!);
  for (let row = 0; row < rows; row++) {
    let [rest, to, stride, outside] = [row, origin[rank - 1]!, shape[rank - 1]!, false];
    for (let axis = rank - 2; axis >= 0; axis--) {
      const at = origin[axis]! + rest % chunk[axis]!;
      rest = Math.floor(rest / chunk[axis]!);
      outside ||= at >= shape[axis]!;
      to += at * stride;
      stride *= shape[axis]!;
    }
    if (outside) continue;
    const from = row * chunk[rank - 1]! * bytes;
    result.set(raw.subarray(from, from + width * bytes), to * bytes);
  }
}
