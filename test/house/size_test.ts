/**
 * The tree stays small enough to clone in a moment. What is large is made by `reproduce` into folders that git ignores.
 */
import { join } from "node:path";
import { allFiles, assertNone, ROOT } from "./tree.ts";

const KB = 1000;
const MB = 1000 * KB;

/** What a picture in the tree may weigh. */
const PICTURE = 400 * KB;
/** What any other file may weigh. */
const FILE = 1 * MB;
/** What all files together may weigh. */
const TREE = 15 * MB;

/** Larger files, and why they are in the tree. */
const LARGE: Readonly<Record<string, string>> = {
  "results/embedded/trained.safetensors": "what `reconstruct` needs, so that it runs without a training",
};

const files = await Promise.all(
  (await allFiles()).map(async (path) => ({ path, size: (await Deno.lstat(join(ROOT, path))).size })),
);

Deno.test("no file of the tree is larger than 1 MB, and no picture than 400 KB", () => {
  const findings = files.flatMap(({ path, size }) => {
    if (/\.(png|webp|jpe?g|gif|avif|svg)$/.test(path)) {
      if (size <= PICTURE) return [];
      return [
        `${path}:1: ${Math.ceil(size / KB)} KB. Publish a smaller picture as WebP, and keep the full one in .ftim.`,
      ];
    }
    if (size <= FILE || LARGE[path] !== undefined) return [];
    return [
      `${path}:1: ${(size / MB).toFixed(1)} MB. Compress it, or let \`reproduce\` make it into an ignored folder.`,
    ];
  });
  assertNone(findings, "Files are too large");
});

Deno.test("the tree weighs at most 15 MB", () => {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const largest = files.toSorted((a, b) => b.size - a.size).slice(0, 10)
    .map(({ path, size }) => `${path}:1: ${(size / MB).toFixed(2)} MB`);
  const findings = total <= TREE ? [] : [`${(total / MB).toFixed(1)} MB in all. Make the largest smaller:`, ...largest];
  assertNone(findings, "The tree is too heavy");
});

Deno.test("the list of large files names only files that are large", () => {
  const findings = Object.keys(LARGE).flatMap((path) => {
    const size = files.find((file) => file.path === path)?.size ?? 0;
    return size > FILE ? [] : [`${path}:1: ${Math.ceil(size / KB)} KB. Take it off LARGE in test/house/size_test.ts.`];
  });
  assertNone(findings, "The list of large files is out of date");
});
