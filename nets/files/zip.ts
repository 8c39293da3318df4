/**
 * The members of a zip archive, by range: PyTorch's archives and NumPy's `.npz`.
 *
 * Ours because no package fits: `fflate` does not read by range, and what does brings writing, encryption and workers
 * with it. Inflating is the platform's own. Format: PKWARE's APPNOTE.TXT.
 */
import { checksum } from "./checksum.ts";
import { inflate } from "./inflate.ts";
import { cursorOf, readRange, TensorFileError, type TensorSource } from "./source.ts";

/** One file of an archive. */
export interface ZipMember {
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  /** Whether it lies in the archive as it is. */
  readonly stored: boolean;
  readonly packed: number;
  readonly crc32: number;
  /** Where its local header begins. */
  readonly header: number;
}

const END = 0x06054b50;
const END_SIZE = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_SIZE = 20;
const END64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const LONGEST_COMMENT = 0xffff;
const IN_ZIP64 = 0xffffffff;
const [STORED, DEFLATED] = [0, 8];

/**
 * The archive's files by name.
 *
 * @throws {TensorFileError} if the list at its end is absent or damaged
 */
export async function zipMembers(source: TensorSource): Promise<ReadonlyMap<string, ZipMember>> {
  const { begin, length, count } = await findDirectory(source);
  const cursor = cursorOf(await readRange(source, { begin, length }));
  const members = new Map<string, ZipMember>();
  for (let i = 0; i < count; i++) {
    if (cursor.u32() !== ENTRY) {
      throw new TensorFileError("it is damaged: the list at the end of the zip archive is wrong");
    }
    cursor.at += 6;
    const method = cursor.u16();
    cursor.at += 4;
    const [crc32, packed, size] = [cursor.u32(), cursor.u32(), cursor.u32()];
    const [nameLength, extraLength, commentLength] = [cursor.u16(), cursor.u16(), cursor.u16()];
    cursor.at += 8;
    const header = cursor.u32();
    const name = new TextDecoder().decode(cursor.bytes(nameLength));
    const large = zip64(cursor.bytes(extraLength), { size, packed, header });
    cursor.at += commentLength;
    if (method !== STORED && method !== DEFLATED) {
      throw new TensorFileError(
        `its member "${name}" is packed by method ${method}, which is neither of the usual two`,
      );
    }
    if (method === STORED && large.packed !== large.size) {
      throw new TensorFileError(`it is damaged: the sizes of "${name}" differ`);
    }
    members.set(name, { name, crc32, stored: method === STORED, ...large });
  }
  return members;
}

/** A part of a member, whose checksum is not looked at unless the part is all of it. */
export async function readMember(
  source: TensorSource,
  { member, begin = 0, length = member.size }: { member: ZipMember; begin?: number; length?: number },
): Promise<Uint8Array<ArrayBuffer>> {
  if (begin === 0 && length === member.size) return await readMemberFrom(source, { member, begin });
  return await readPart(source, { member, begin, length });
}

/**
 * A member from a byte on. All of it is checked by its checksum; what stands before is read apart, so that nobody has
 * to copy a large rest.
 */
export async function readMemberFrom(
  source: TensorSource,
  { member, begin }: { member: ZipMember; begin: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const before = await readPart(source, { member, begin: 0, length: begin });
  const bytes = await readPart(source, { member, begin, length: member.size - begin });
  if (checksum("crc32", { bytes, before: checksum("crc32", { bytes: before }) }) !== member.crc32) {
    throw new TensorFileError(`it is damaged: the checksum of "${member.name}" is wrong. Get it again`);
  }
  return bytes;
}

async function readPart(
  source: TensorSource,
  { member, begin, length }: { member: ZipMember; begin: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const start = await dataOf(source, member);
  if (begin < 0 || length < 0 || begin + length > member.size) {
    throw new TensorFileError(
      `it is damaged: "${member.name}" has ${member.size} bytes, ${begin + length} are asked for`,
    );
  }
  if (member.stored) return await readRange(source, { begin: start + begin, length });
  const deflated = { source, begin: start, length: member.packed, format: "deflate-raw" } as const;
  const toItsEnd = begin + length === member.size ? { total: member.size } : {};
  return await inflate(deflated, { skip: begin, length, ...toItsEnd });
}

async function dataOf(source: TensorSource, { name, header, packed }: ZipMember): Promise<number> {
  const cursor = cursorOf(await readRange(source, { begin: header, length: 30 }));
  if (cursor.u32() !== LOCAL) throw new TensorFileError(`it is damaged: "${name}" is not where its list says`);
  cursor.at = 26;
  const begin = header + 30 + cursor.u16() + cursor.u16();
  if (begin + packed > source.size) throw new TensorFileError(`it is damaged: "${name}" ends outside of the archive`);
  return begin;
}

async function findDirectory(source: TensorSource): Promise<{ begin: number; length: number; count: number }> {
  const length = Math.min(source.size, END_SIZE + LONGEST_COMMENT);
  const tail = await readRange(source, { begin: source.size - length, length });
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let at = tail.length - END_SIZE;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) {
    throw new TensorFileError(
      "it begins as a zip archive and lacks the list at its end. The download stopped halfway; get it again",
    );
  }
  const cursor = cursorOf(tail.subarray(at + 10));
  const [count, size, begin] = [cursor.u16(), cursor.u32(), cursor.u32()];
  const locator = at - LOCATOR_SIZE;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR) return { begin, length: size, count };
  const place = cursorOf(tail.subarray(locator + 8)).u64();
  const end = cursorOf(await readRange(source, { begin: place, length: 56 }));
  if (end.u32() !== END64) throw new TensorFileError("it is damaged: the list at the end of the zip archive is wrong");
  end.at = 32;
  return { count: end.u64(), length: end.u64(), begin: end.u64() };
}

/** Sizes beyond 4 GB stand in an extra field, those alone that do not fit, in this order. */
function zip64(extra: Uint8Array<ArrayBuffer>, small: Pick<ZipMember, "size" | "packed" | "header">) {
  const result = { ...small };
  const cursor = cursorOf(extra);
  while (cursor.left >= 4) {
    const [id, length] = [cursor.u16(), cursor.u16()];
    const field = cursorOf(cursor.bytes(Math.min(length, cursor.left)));
    if (id !== 1) continue;
    for (const name of ["size", "packed", "header"] as const) if (small[name] === IN_ZIP64) result[name] = field.u64();
  }
  return result;
}
