/** Files that are not what they must be: each is named, with what was expected or what to do. */
import assert from "node:assert/strict";
import { inWords, missing, requireLayout } from "../../../nets/files/layouts.ts";
import { openTensors, readFloats, type TensorFile } from "../../../nets/files/open_tensors.ts";
import { bytesSource, type TensorSource } from "../../../nets/files/source.ts";
import { besideGolden, golden, goldenBytes } from "./golden.ts";

const text = (content: string, name = "weights.pth") => bytesSource(new TextEncoder().encode(content), name);
const bytes = (...values: number[]) => bytesSource(Uint8Array.from(values), "weights.pth");
const half = (name: string) => {
  const whole = goldenBytes(name);
  return besideGolden(name, whole.slice(0, whole.length / 2));
};

function matlab73(): TensorSource {
  const head = new Uint8Array(1024).fill(32);
  head.set(new TextEncoder().encode("MATLAB 7.3 MAT-file, Platform: GLNXA64"));
  head.set([0, 2, 73, 77], 124);
  return bytesSource(head, "BFM_model_front.mat");
}

function tar(): TensorSource {
  const head = new Uint8Array(1024);
  head.set(new TextEncoder().encode("deca_model/data.pkl"));
  head.set(new TextEncoder().encode("ustar"), 257);
  return bytesSource(head, "deca_model.tar");
}

const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 574673361\n";

const CASES: readonly (readonly [what: string, source: TensorSource, message: RegExp])[] = [
  ["an empty file", bytes(), /weights\.pth: it is empty\. The download failed; get it again/],
  ["a Git LFS pointer", text(LFS), /it is a Git LFS pointer.*of 574673361 bytes.*git lfs pull/],
  [
    "a web page",
    text("<!DOCTYPE html><html><head><title>Quota exceeded</title>"),
    /it is a web page \("Quota exceeded"\).*open the link in a browser/,
  ],
  ["a server's answer", text('{"error": "Unauthorized"}'), /error message of a server.*Unauthorized/],
  ["a gzip archive", bytes(0x1f, 0x8b, 8), /it is a gzip archive\. Unpack it/],
  ["a tar archive", tar(), /deca_model\.tar: it is a tar archive\. Unpack it/],
  ["zeros", bytesSource(new Uint8Array(4096), "weights.pth"), /nothing but zeros/],
  ["a pickle of protocol 0", text("(dp1\nS'f'\n"), /a pickle of protocol 0, in text\. Expected is one of protocol 2/],
  ["another format", text("solid cube"), /its format is none of those that are known: PyTorch, NumPy/],
  ["half of a PyTorch archive", half("torch_zip.pth"), /lacks the list at its end.*stopped halfway/],
  ["half of an older PyTorch archive", half("torch_old.pth"), /cut off/],
  ["half of a NumPy array", half("array.npy"), /it is cut off: an array \[3,4,2\] takes 192 bytes/],
  ["half of a pickle", half("flame.pkl"), /cut off/],
  ["half of a MATLAB file", half("model.mat"), /it is cut off: \d+ bytes must be there, 752 are/],
  ["half of an HDF5 file", half("model.h5"), /it is cut off: 30040 bytes must be there, 15020 are/],
  ["half of a safetensors file", half("types.safetensors"), /it is cut off: \d+ bytes must be there/],
  ["half of an ONNX network", half("network.onnx"), /cut off/],
  [
    "a checkpoint without its values",
    bytesSource(goldenBytes("checkpoint.index"), "checkpoint.index"),
    /its values lie in checkpoint\.data-00000-of-00001, which is not there/,
  ],
  [
    "a checkpoint with half of its values",
    {
      ...golden("checkpoint.index"),
      beside: (name) => Promise.resolve(bytesSource(goldenBytes(name).slice(0, 100), name)),
    },
    /checkpoint\.data-00000-of-00001 is cut off or of another checkpoint/,
  ],
  [
    "the values of a checkpoint in place of its index",
    bytesSource(goldenBytes("checkpoint.data-00000-of-00001"), "model.data-00000-of-00001"),
    /holds values\. Name the \.index beside it/,
  ],
  ["a network without the file of its weights", bytesSource(goldenBytes("outside.onnx")), /lie in outside\.onnx\.data/],
  [
    "a MATLAB file of version 7.3",
    matlab73(),
    /version 7\.3, which is HDF5 inside\. Expected is one of version 5 to 7/,
  ],
  ["HDF5 in a later form", golden("later.h5"), /superblock [23].*libver='earliest'/],
  ["a model that was saved whole", golden("torch_model.pth"), /"torch\.nn\.modules\.linear\.Linear".*state_dict\(\)/],
];

for (const [what, source, message] of CASES) {
  Deno.test(`openTensors() names ${what}`, async () => {
    await assert.rejects(openTensors(source), { name: "TensorFileError", message });
  });
}

Deno.test("a pickle that calls os.system is refused with that name, and nothing of it is run", async () => {
  for (const name of ["evil.pkl", "torch_evil.pth", "torch_evil_old.pth"]) {
    await assert.rejects(openTensors(golden(name)), /"posix\.system".*Nothing of it was run.*do not open this file/);
  }
  await assert.rejects(Deno.stat("/tmp/ftim-was-here"), Deno.errors.NotFound);
});

Deno.test("names lose what DataParallel puts in front, unless two would be one", async () => {
  const { tensors } = await openTensors(golden("torch_zip.pth"), { strip: ["E_flame.module.", "E_flame."] });
  assert.ok(tensors.has("conv.weight") && tensors.has("half") && tensors.has("opt.state.0.step"));
  const safetensors = (names: readonly string[]) => {
    const entries = names.map((name) => [name, { dtype: "U8", shape: [0], data_offsets: [0, 0] }]);
    const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
    const file = new Uint8Array(8 + header.length);
    file[0] = header.length;
    file.set(header, 8);
    return bytesSource(file);
  };
  await assert.rejects(
    openTensors(safetensors(["module.a", "a"]), { strip: ["module."] }),
    /has both "module\.a" and "a"/,
  );
});

Deno.test("a tensor that is absent, no tensor, or of another shape is named", async () => {
  const file = await openTensors(golden("model.mat"));
  await assert.rejects(
    file.read("texMU"),
    /this MATLAB 5 file has no tensor "texMU"\. It has 5: "shapeMU", .*another network/,
  );
  await assert.rejects(file.read("title"), /"title" is a text, not a tensor/);
  await assert.rejects(file.read("complex"), /"complex" is a complex array/);
  await assert.rejects(
    readFloats(file, { name: "shapePC", shape: [30, 5] }),
    /"shapePC" must be \[30,5\], and it is \[30,4\]/,
  );
  const flame = await openTensors(golden("flame.pkl"));
  await assert.rejects(flame.read("bs_style"), /"bs_style" is a string/);
});

Deno.test("other types are read as floats, and big-endian values are told and converted", async () => {
  const file = await openTensors(golden("torch_zip.pth"));
  const of = async (name: string, shape: number[]) => [...await readFloats(file, { name: `E_flame.${name}`, shape })];
  assert.deepEqual(await of("half", [4]), [1, -0.5, 65504, 2 ** -24]);
  assert.deepEqual((await of("bfloat", [3])).slice(0, 2), [1, -3.140625]);
  assert.deepEqual(await of("steps", []), [2 ** 40]);
  assert.deepEqual(await of("mask", [3]), [1, 0, 1]);
  const big = await openTensors(golden("array.npy"));
  assert.deepEqual(big.tensors.get(""), { shape: [3, 4, 2], dtype: "float64", bigEndian: true });
});

/** A file of which only names and shapes are known. */
function fileOf(shapes: Readonly<Record<string, readonly number[]>>): TensorFile {
  const tensors = new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: "float32" as const }]));
  const read = () => Promise.reject(new Error("none"));
  return { name: "file", format: "NumPy archive", tensors, skipped: new Map(), read };
}

Deno.test("a face model or network is told from those that are mistaken for it", () => {
  const bfm2017 = { "shape/model/mean": [159447], "shape/model/pcaBasis": [159447, 199], "color/model/mean": [159447] };
  const bfm2009 = { shapePC: [160470, 199], texPC: [160470, 199], shapeMU: [160470, 1] };
  const inception = { "conv2d_1a.conv.weight": [32, 3, 3, 3], "last_linear.weight": [512, 1792] };
  assert.throws(
    () => requireLayout(fileOf(bfm2017), "bfm2009"),
    /must hold the Basel Face Model 2009, and "shapePC" is absent\. It holds the Basel Face Model 2017/,
  );
  assert.throws(() => requireLayout(fileOf(bfm2009), "bfm2017"), /It holds the Basel Face Model 2009/);
  assert.throws(() => requireLayout(fileOf(bfm2009), "bfmFront"), /It holds the Basel Face Model 2009/);
  assert.throws(
    () => requireLayout(fileOf({ ...inception, "logits.weight": [10575, 512] }), "facenet"),
    /"logits\.weight" is \[10575,512\] and must be \[8631,512\]\. It holds FaceNet .*CASIA/,
  );
  assert.throws(() => requireLayout(fileOf({ v_template: [6890, 3] }), "flame"), /It holds SMPL, a body model/);
  assert.equal(missing(fileOf({ ...bfm2009, shapeMU: [1, 160470] }), "bfm2009"), null);
  assert.match(missing(fileOf({ ...bfm2009, shapeMU: [3] }), "bfm2009")!, /is \[3\] and must be of 160470 values/);
  assert.match(inWords(fileOf({ "shape/model/pcaBasis": [9, 9] })), /Basel Face Model of another size/);
  assert.equal(inWords(fileOf({ a: [1], b: [2] })), 'a NumPy archive of 2 tensors ("a", "b")');
});
