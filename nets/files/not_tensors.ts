/** What lies in the place of a file with tensors when a download went wrong, by its first bytes, and what to do. */
import { latin1, type TensorSource } from "./source.ts";

/** Why a file is none with tensors, or null where its first bytes do not tell. */
export function notTensors({ size }: Pick<TensorSource, "size">, head: Uint8Array): string | null {
  const text = latin1(head);
  if (size === 0) return "it is empty. The download failed; get it again";
  if (text.startsWith("version https://git-lfs.github.com/spec/")) {
    const bytes = /^size (\d+)$/m.exec(text)?.[1];
    return "it is a Git LFS pointer, which stands for the file" + (bytes === undefined ? "" : ` (of ${bytes} bytes)`) +
      ". Run `git lfs pull` in its repository, or download the file itself";
  }
  if (/^\s*(<!doctype html|<html|<head)/i.test(text)) {
    const title = /<title>\s*([^<]{1,80}?)\s*<\/title>/i.exec(text)?.[1];
    return `it is a web page${title === undefined ? "" : ` ("${title}")`}, saved in place of the file. ` +
      "The server asked for something first: open the link in a browser, log in or confirm, and download there";
  }
  if (/^\s*<\?xml/.test(text)) return "it is an XML answer of a server, saved in place of the file. Get it again";
  if (/^\s*\{\s*"(error|message|detail)/.test(text)) {
    return `it is an error message of a server: ${text.trim().slice(0, 100)}. Get it again`;
  }
  const archive = ARCHIVES.find(([start]) => text.startsWith(start))?.[1] ?? (isTar(text) ? "a tar archive" : null);
  if (archive !== null) return `it is ${archive}. Unpack it, and put what is inside into its place`;
  if (head.every((byte) => byte === 0)) return "it begins with nothing but zeros. The download broke; get it again";
  return null;
}

const ARCHIVES: readonly (readonly [start: string, what: string])[] = [
  ["\x1f\x8b", "a gzip archive"],
  ["BZh", "a bzip2 archive"],
  ["\xfd7zXZ", "an xz archive"],
  ["7z\xbc\xaf", "a 7z archive"],
  ["Rar!", "a rar archive"],
];

function isTar(text: string): boolean {
  return text.slice(257, 262) === "ustar";
}
