/**
 * Just enough of the ustar format to carry files of known size: sorted by the caller, no owner, no time. The package
 * tar-stream would bring four others and theirs, one of them for native code, in place of these eighty lines.
 */
import { BadObjectError } from "./errors.ts";

const BLOCK = 512;

/** One file in an archive. `read` is called when it is written. */
export interface TarEntry {
  /** At most 100 ASCII characters. */
  readonly name: string;
  readonly size: number;
  readonly read: () => AsyncIterable<Uint8Array>;
  /** Called when it has been written. */
  readonly written?: () => void;
}

/** Writes an archive; the same entries always give the same bytes. */
export async function writeTar(path: string, entries: Iterable<TarEntry>): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (const { name, size, read, written: done } of entries) {
    await writeAll(file, header(name, size));
    let written = 0;
    for await (const chunk of read()) {
      await writeAll(file, chunk);
      written += chunk.length;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
    await writeAll(file, new Uint8Array(-size & (BLOCK - 1)));
    done?.();
  }
  await writeAll(file, new Uint8Array(2 * BLOCK));
  await file.syncData();
}

/** One file that {@link readTar} has come to. */
export interface TarFile {
  readonly name: string;
  readonly size: number;
  /** Its bytes; to be read before the next file is asked for, or not at all. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Reads an archive's files in order, and no more than a piece of one at a time.
 * @throws {BadObjectError} for what is no archive, is damaged, ends too early, or holds anything but plain files.
 */
export async function* readTar(path: string): AsyncGenerator<TarFile> {
  // before it is opened, which a pipe would not answer
  if (!(await Deno.stat(path)).isFile) throw new BadObjectError(`${path} is not a file`);
  using file = await Deno.open(path);
  const { size: end } = await file.stat();
  const block = new Uint8Array(BLOCK);
  for (let at = 0;;) {
    if (at + BLOCK > end) throw cutShort(path);
    await file.seek(at, Deno.SeekMode.Start);
    await readExactly(file, { bytes: block, path });
    at += BLOCK;
    if (isZero(block)) {
      for await (const rest of pieces(file, { size: end - at, path })) {
        if (!isZero(rest)) throw new BadObjectError(`${path} is damaged: it goes on after its end`);
      }
      return;
    }
    const { name, size } = parse(block, path);
    if (at + size > end) throw cutShort(path);
    yield { name, size, chunks: pieces(file, { size, path }) };
    at += size + (-size & (BLOCK - 1));
  }
}

function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, offset: number) => block.set(new TextEncoder().encode(text), offset);
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new Error(`"${name}" does not fit a tar header`);
  if (size >= 8 ** 11) throw new Error(`${name}: ${size} bytes do not fit a tar header`);
  put(name, 0);
  put("0000644\0" + "0000000\0" + "0000000\0", 100);
  put(`${size.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0${" ".repeat(8)}0`, 124);
  put("ustar\x0000", 257);
  put(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

function parse(block: Uint8Array, path: string): { name: string; size: number } {
  const text = (offset: number, length: number) =>
    new TextDecoder().decode(block.subarray(offset, offset + length)).replace(/\0.*$/s, "").trim();
  const octal = (offset: number, length: number) =>
    /^[0-7]+$/.test(text(offset, length)) ? parseInt(text(offset, length), 8) : NaN;
  const [size, name, type] = [octal(124, 12), text(0, 100), text(156, 1)];
  if (octal(148, 8) !== checksum(block) || !Number.isSafeInteger(size)) {
    throw new BadObjectError(`${path} is not a tar archive, or damaged`);
  }
  if (type !== "" && type !== "0") {
    const kind = KINDS[type] ?? `an entry of type "${type}"`;
    throw new BadObjectError(`${path} is not an export: "${name}" is ${kind}, and an export holds plain files alone`);
  }
  return { name, size };
}

/** What else an archive may hold, by its type. */
const KINDS: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a device",
  "4": "a device",
  "5": "a folder",
  "6": "a pipe",
  L: "a long name",
  K: "a long link",
  x: "a PAX header",
  g: "a PAX header",
};

/** Bytes that are read at a time. */
const PIECE = 1 << 20;

async function* pieces(
  file: Deno.FsFile,
  { size, path }: { readonly size: number; readonly path: string },
): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const bytes = new Uint8Array(Math.min(PIECE, left));
    await readExactly(file, { bytes, path });
    left -= bytes.length;
    yield bytes;
  }
}

async function readExactly(file: Deno.FsFile, { bytes, path }: { bytes: Uint8Array; path: string }): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw cutShort(path);
    done += count;
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function cutShort(path: string): BadObjectError {
  return new BadObjectError(`${path} ends too early: it is not a whole archive`);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
