import assert from "node:assert/strict";
import { pathIn } from "../../../../stages/methods/parts/folder_files.ts";

Deno.test("a file is found by its name wherever it lies, and of several checkpoints the last is taken", () => {
  const paths = ["a/coarse-9000.index", "a/coarse-131000.index", "b/fine-2.index", "b/fine-2.data-00000-of-00001"];
  assert.equal(pathIn({ paths }, /^coarse.*\.index$/), "a/coarse-131000.index");
  assert.equal(pathIn({ paths }, "fine-2.index"), "b/fine-2.index");
  assert.throws(() => pathIn({ paths }, "mean_m.npy"), /no mean_m\.npy in the folder, which holds a\/coarse-9000.*…/);
  assert.throws(() => pathIn({ paths: [] }, /\.index$/), /no file of the form/);
});
