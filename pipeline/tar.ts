/**
 * Just enough of the ustar format to carry files of known size: sorted by the caller, no owner, no time. The package
 * tar-stream would bring four others and theirs, one of them for native code, in place of these eighty lines.
 */

const BLOCK = 512;

/** One file in an archive. `read` is called when it is written. */
export interface TarEntry {
  /** At most 100 ASCII characters. */
  readonly name: string;
  readonly size: number;
  readonly read: () => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;
}

/** Writes an archive; the same entries always give the same bytes. */
export async function writeTar(path: string, entries: Iterable<TarEntry>): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (const { name, size, read } of entries) {
    await writeAll(file, header(name, size));
    let written = 0;
    for await (const chunk of await read()) {
      await writeAll(file, chunk);
      written += chunk.length;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
    await writeAll(file, new Uint8Array(-size & (BLOCK - 1)));
  }
  await writeAll(file, new Uint8Array(2 * BLOCK));
  await file.syncData();
}

/** Reads an archive's entries in order. Each one's bytes are whole in memory while it is looked at. */
export async function* readTar(path: string): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  using file = await Deno.open(path);
  for (;;) {
    const block = await readExactly(file, { size: BLOCK, path });
    if (block.every((byte) => byte === 0)) return;
    const { name, size } = parse(block, path);
    const bytes = await readExactly(file, { size, path });
    await readExactly(file, { size: -size & (BLOCK - 1), path });
    yield { name, bytes };
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
  const size = parseInt(text(124, 12), 8);
  if (parseInt(text(148, 8), 8) !== checksum(block) || !Number.isSafeInteger(size)) {
    throw new Error(`${path} is not a tar archive, or damaged`);
  }
  return { name: text(0, 100), size };
}

async function readExactly(file: Deno.FsFile, { size, path }: { size: number; path: string }): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new Error(`${path} ends too early: it is not a whole archive`);
    done += count;
  }
  return bytes;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
