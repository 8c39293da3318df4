/** The messages of HDF5's object headers: what a dataset's shape and type are, and where its values lie. */
import { cursorOf, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype } from "./values.ts";

/** Bytes of an address. */
export const OFFSET = 8;
/** The address of what is not there. JavaScript cannot count so far, so that it is read as this. */
export const UNDEFINED = -1;
const CONTINUATION = 16;
/** More messages than any dataset has. */
const MOST = 4096;

/** Where a dataset's values lie. */
export type Layout =
  | { readonly kind: "inside"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "piece"; readonly begin: number; readonly length: number }
  | { readonly kind: "chunks"; readonly tree: number; readonly chunk: readonly number[] };

/** The first message of each kind in an object's header. */
export async function objectMessages(
  source: TensorSource,
  address: number,
): Promise<ReadonlyMap<number, Uint8Array<ArrayBuffer>>> {
  const head = cursorOf(await readRange(source, { begin: address, length: 12 }));
  if (head.u8() !== 1) {
    throw new TensorFileError(
      "it holds objects in a form of HDF5 that this reader does not know. " +
        "Expected is the file as its authors ship it, or one that was written with libver='earliest'",
    );
  }
  head.at = 8;
  const blocks = [{ begin: address + 16, length: head.u32() }];
  const messages = new Map<number, Uint8Array<ArrayBuffer>>();
  let count = 0;
  for (const block of blocks) {
    const cursor = cursorOf(await readRange(source, block));
    while (cursor.left >= 8) {
      if (++count > MOST) throw new TensorFileError("it is damaged: an object's header does not end");
      const [kind, size] = [cursor.u16(), cursor.u16()];
      cursor.at += 4;
      const body = cursor.bytes(size);
      if (kind === CONTINUATION) {
        const place = cursorOf(body);
        blocks.push({ begin: place.u64(), length: place.u64() });
      } else if (!messages.has(kind)) messages.set(kind, body);
    }
  }
  return messages;
}

/** A dataset's shape. */
export function readSpace(message: Uint8Array<ArrayBuffer>): number[] {
  const cursor = cursorOf(message);
  const [version, rank] = [cursor.u8(), cursor.u8()];
  cursor.at = version === 1 ? 8 : 4;
  const shape = Array.from({ length: rank }, () => cursor.u64());
  countOf(shape);
  return shape;
}

/** The type of a dataset's values, or what they are instead of numbers. */
export function readType(message: Uint8Array<ArrayBuffer>): { dtype: Dtype; bigEndian: boolean } | string {
  const cursor = cursorOf(message);
  const [kind, flags] = [cursor.u8() & 15, cursor.u8()];
  cursor.at = 4;
  const bits = 8 * cursor.u32();
  const bigEndian = (flags & 1) === 1;
  if (kind === 0 && [8, 16, 32, 64].includes(bits)) {
    return { dtype: `${flags & 8 ? "int" : "uint"}${bits as 8 | 16 | 32 | 64}`, bigEndian };
  }
  if (kind === 1 && [16, 32, 64].includes(bits)) return { dtype: `float${bits as 16 | 32 | 64}`, bigEndian };
  const names: Readonly<Record<number, string>> = { 3: "texts", 6: "records", 8: "names of numbers", 9: "texts" };
  return names[kind] ?? "values that are no numbers";
}

/** Where a dataset's values lie, or why this reader cannot say. */
export function readLayout(message: Uint8Array<ArrayBuffer>): Layout | string {
  const cursor = cursorOf(message);
  const version = cursor.u8();
  if (version !== 3) return `values in a form of HDF5 (layout ${version}) that this reader does not know`;
  const kind = cursor.u8();
  if (kind === 0) return { kind: "inside", bytes: cursor.bytes(cursor.u16()) };
  if (kind === 1) return { kind: "piece", begin: addressOf(cursor.bytes(OFFSET)), length: cursor.u64() };
  if (kind !== 2) return "values in other files";
  const rank = cursor.u8();
  const tree = addressOf(cursor.bytes(OFFSET));
  // the last axis is the bytes of a value
  return { kind: "chunks", tree, chunk: Array.from({ length: rank - 1 }, () => cursor.u32()) };
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): number {
  return bytes.every((byte) => byte === 0xff) ? UNDEFINED : cursorOf(bytes).u64();
}
