/**
 * Reads the fields of a protobuf message by range, without its schema: what ONNX's files and TensorFlow's checkpoints
 * need of it. `protobufjs` would want the schema and the whole message in memory.
 */
import { cursorOf, CutOffError, readRange, safe, TensorFileError, type TensorSource } from "./source.ts";

/** A field of a message. */
export interface Field {
  readonly number: number;
  /** Of a number: its value. */
  readonly value: bigint;
  /** Of a text or an inner message: where it lies. Of a number both are equal. */
  readonly begin: number;
  readonly end: number;
}

/** More than the number and the length of a field take. */
const HEAD = 20;
/** Fields are looked for in pieces of so many bytes. */
const WINDOW = 1 << 16;
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** The fields of a message that lies between `begin` and `end`. */
export async function* fieldsOf(
  source: TensorSource,
  { begin, end }: { begin: number; end: number },
): AsyncGenerator<Field> {
  let window = { begin: 0, bytes: new Uint8Array() };
  for (let at = begin; at < end;) {
    const needed = Math.min(HEAD, end - at);
    if (at < window.begin || at + needed > window.begin + window.bytes.length) {
      window = { begin: at, bytes: await readRange(source, { begin: at, length: Math.min(WINDOW, end - at) }) };
    }
    const cursor = cursorOf(window.bytes.subarray(at - window.begin, at - window.begin + needed));
    const key = safe(varint(cursor));
    const [number, wire] = [Math.floor(key / 8), key & 7];
    if (number === 0) throw new TensorFileError("it is damaged: a field has no number");
    if (wire === VARINT) {
      const value = varint(cursor);
      yield { number, value, begin: at + cursor.at, end: at + cursor.at };
      at += cursor.at;
    } else if (wire === FIXED32 || wire === FIXED64) {
      const value = wire === FIXED32 ? BigInt(cursor.u32()) : BigInt(cursor.u64());
      yield { number, value, begin: at + cursor.at, end: at + cursor.at };
      at += cursor.at;
    } else if (wire === BYTES) {
      const length = safe(varint(cursor));
      const start = at + cursor.at;
      if (start + length > end) throw new CutOffError(`it is damaged or cut off: a field ends outside of it`);
      yield { number, value: 0n, begin: start, end: start + length };
      at = start + length;
    } else throw new TensorFileError(`it is damaged: a field is of kind ${wire}`);
  }
}

/** Reads a number of 7 bits a byte. */
export function varint(cursor: { u8(): number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.u8();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new TensorFileError("it is damaged: a number in it is too long");
}

/** Whole numbers of a repeated field, packed or one by one, added to a list. */
export async function addNumbers(list: bigint[], { source, field }: { source: TensorSource; field: Field }) {
  if (field.begin === field.end) return void list.push(field.value);
  const cursor = cursorOf(await readRange(source, { begin: field.begin, length: field.end - field.begin }));
  while (cursor.left > 0) list.push(varint(cursor));
}

/** The text of a field. */
export async function textOf(source: TensorSource, { begin, end }: Field): Promise<string> {
  return new TextDecoder().decode(await readRange(source, { begin, length: end - begin }));
}
