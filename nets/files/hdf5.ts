/**
 * HDF5 as its library writes it by default: superblock 0, groups as B-trees of names, object headers of version 1,
 * values in one piece, inside the header, or in chunks, as they are or deflated and shuffled. The Basel Face Model of
 * 2017 should be such a file, but could not be had to try. Later forms are refused by name.
 *
 * Ours though packages are there. `h5wasm` (the C library, 4 MB of WebAssembly) holds the whole file and its values in
 * a memory of its own; where a chunk is damaged, its version 0.10.3 returns what lay in that memory before, and no
 * error. `jsfive` wants the whole file in memory and returns values as lists of numbers, at several times their size.
 * Format: HDF5 File Format Specification, version 3.0.
 */
import { type Chunks, readChunks } from "./hdf5_chunks.ts";
import { objectMessages, OFFSET, readLayout, readSpace, readType, UNDEFINED } from "./hdf5_messages.ts";
import { cursorOf, cutOff, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, DTYPE_BYTES, type Opened, type StoredTensor } from "./values.ts";

/** What such a file begins with. */
export const HDF5_MAGIC = "\x89HDF\r\n\x1a\n";
const [SPACE, TYPE, LAYOUT, FILTERS, GROUP, LINK_INFO] = [1, 3, 8, 11, 17, 2];
/** Bytes of a group's entry: its name, its object, and what of it is kept at hand. */
const ENTRY = 40;

/** A group of objects by name. */
interface Group {
  readonly tree: number;
  readonly heap: number;
}

interface Walk {
  readonly source: TensorSource;
  readonly tensors: Map<string, StoredTensor>;
  readonly skipped: Map<string, string>;
  /** Groups and B-tree nodes that were visited: none can be visited twice. */
  readonly visited: Set<number>;
}

/** Opens a file. Datasets are named by their path, such as `shape/model/mean`. */
export async function openHdf5(source: TensorSource): Promise<Opened> {
  const cursor = cursorOf(await readRange(source, { begin: 0, length: Math.min(96, source.size) }));
  cursor.at = HDF5_MAGIC.length;
  const version = cursor.u8();
  if (version > 1) {
    throw new TensorFileError(
      `it is HDF5 in a form (superblock ${version}) that this reader does not know. ` +
        "Expected is the file as its authors ship it, or one that was written with libver='earliest'",
    );
  }
  cursor.at = 13;
  const [offsets, lengths] = [cursor.u8(), cursor.u8()];
  if (offsets !== 8 || lengths !== 8) throw new TensorFileError(`its addresses have ${offsets} bytes, not 8`);
  cursor.at = (version === 0 ? 24 : 28) + OFFSET; // after the base address
  cursor.at += OFFSET; // free space
  const end = cursor.u64();
  if (end > source.size) {
    throw new TensorFileError(`it is cut off: ${end} bytes must be there, ${source.size} are. Get it again`);
  }
  cursor.at += 2 * OFFSET; // driver information, and the root's name
  const walk: Walk = { source, tensors: new Map(), skipped: new Map(), visited: new Set() };
  await openObject(walk, { address: cursor.u64(), path: "" });
  return { format: "HDF5 file", tensors: walk.tensors, skipped: walk.skipped };
}

/** Lists a group's objects, or notes down a dataset. */
async function openObject(walk: Walk, { address, path }: { address: number; path: string }): Promise<void> {
  const { source, tensors, skipped } = walk;
  if (walk.visited.has(address)) throw new TensorFileError("it is damaged: its groups hold each other");
  walk.visited.add(address);
  const messages = await objectMessages(source, address);
  const group = messages.get(GROUP);
  if (group !== undefined) {
    const cursor = cursorOf(group);
    return await openGroup(walk, { path, group: { tree: cursor.u64(), heap: cursor.u64() } });
  }
  if (messages.has(LINK_INFO)) return void skipped.set(path, "a group in HDF5's later form");
  const [space, type, layout] = [messages.get(SPACE), messages.get(TYPE), messages.get(LAYOUT)];
  if (space === undefined || type === undefined || layout === undefined) return void skipped.set(path, "no dataset");
  const found = openDataset(source, { space, type, layout, filters: messages.get(FILTERS) ?? null });
  if (typeof found === "string") skipped.set(path, found);
  else tensors.set(path, found);
}

/** What a dataset's messages describe: a tensor, or in words. */
function openDataset(
  source: TensorSource,
  { space, type, layout, filters }: Record<"space" | "type" | "layout", Uint8Array<ArrayBuffer>> & {
    filters: Uint8Array<ArrayBuffer> | null;
  },
): StoredTensor | string {
  const shape = readSpace(space);
  const found = readType(type);
  const place = readLayout(layout);
  if (typeof found === "string") return found;
  if (typeof place === "string") return place;
  const bytes = DTYPE_BYTES[found.dtype];
  const length = countOf(shape) * bytes;
  if (place.kind === "chunks") {
    const chunks: Chunks = { shape, bytes, filters, ...place };
    return { shape, ...found, bytes: () => readChunks(source, chunks) };
  }
  if (length === 0) return { shape, ...found, bytes: () => Promise.resolve(new Uint8Array()) };
  if (place.kind === "piece" && place.begin === UNDEFINED) return "a dataset that nobody wrote values to";
  const there = place.kind === "piece" ? place.length : place.bytes.length;
  if (there < length) {
    throw new TensorFileError(`it is damaged: a dataset [${shape}] takes ${length} bytes, and has ${there}`);
  }
  if (place.kind === "inside") {
    return { shape, ...found, bytes: () => Promise.resolve(place.bytes.subarray(0, length)) };
  }
  if (place.begin + length > source.size) throw cutOff(place.begin + length, source.size);
  return { shape, ...found, bytes: () => readRange(source, { begin: place.begin, length }) };
}

async function openGroup(walk: Walk, { group, path }: { group: Group; path: string }): Promise<void> {
  const { source } = walk;
  const heap = cursorOf(await readRange(source, { begin: group.heap, length: 32 }));
  if (heap.text(4) !== "HEAP") throw new TensorFileError("it is damaged: the names of a group are not where it says");
  heap.at = 8;
  const length = heap.u64();
  heap.at = 24;
  const names = await readRange(source, { begin: heap.u64(), length });
  for (const { name, address } of await groupEntries(walk, { node: group.tree, names })) {
    await openObject(walk, { address, path: path === "" ? name : `${path}/${name}` });
  }
}

/** The entries below a node of a group's tree. */
async function groupEntries(
  walk: Walk,
  { node, names }: { node: number; names: Uint8Array<ArrayBuffer> },
): Promise<{ name: string; address: number }[]> {
  const { source, visited } = walk;
  if (visited.has(node)) throw new TensorFileError("it is damaged: a group's tree grows into itself");
  visited.add(node);
  const head = cursorOf(await readRange(source, { begin: node, length: 8 }));
  const signature = head.text(4);
  if (signature === "SNOD") {
    head.at = 6;
    const count = head.u16();
    const entries = cursorOf(await readRange(source, { begin: node + 8, length: count * ENTRY }));
    return Array.from({ length: count }, (_, i) => {
      entries.at = i * ENTRY;
      const place = entries.u64();
      return { name: nameAt(names, place), address: entries.u64() };
    });
  }
  if (signature !== "TREE" || head.u8() !== 0) throw new TensorFileError("it is damaged: a group has no tree of names");
  head.u8();
  const count = head.u16();
  const body = cursorOf(await readRange(source, { begin: node + 8 + 2 * OFFSET, length: (2 * count + 1) * OFFSET }));
  const found: { name: string; address: number }[] = [];
  for (let i = 0; i < count; i++) {
    body.at = (2 * i + 1) * OFFSET;
    found.push(...await groupEntries(walk, { node: body.u64(), names }));
  }
  return found;
}

function nameAt(names: Uint8Array<ArrayBuffer>, begin: number): string {
  const end = names.indexOf(0, begin);
  if (begin >= names.length || end < 0) throw new TensorFileError("it is damaged: an object of a group has no name");
  return new TextDecoder().decode(names.subarray(begin, end));
}
