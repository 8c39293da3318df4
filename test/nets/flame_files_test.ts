import assert from "node:assert/strict";
import { albedoOf } from "../../face/morphable.ts";
import { bytesSource, latin1 } from "../../nets/files/source.ts";
import { halvedPlanes, readFlameAlbedo, unitAlbedo } from "../../nets/flame_albedo_file.ts";
import { readFlame } from "../../nets/flame_file.ts";
import { readFlameLandmarks } from "../../nets/flame_landmarks_file.ts";
import { encodeSafetensors, type TensorToEncode } from "../../nets/safetensors.ts";
import { relativeError } from "../gpu/arrays.ts";
import { numbers } from "../golden/drawn.ts";
import { drawnFlame } from "../golden/flame_drawn.ts";
import golden from "../golden/flame.json" with { type: "json" };

const drawn = drawnFlame();
const source = (tensors: Record<string, TensorToEncode>, name = "x.pkl") =>
  bytesSource(encodeSafetensors(tensors), name);
const embedding = await Deno.readFile(new URL("../golden/files/landmark_embedding.npy", import.meta.url));
const TRIANGLES = { triangles: 9976 };

Deno.test("readFlame() takes the components that are asked for, and lays them out as rows", async () => {
  const model = await readFlame(source(drawn), { shape: 2, expression: 1 });
  assert.deepEqual(model.parents, [-1, 0, 1, 1, 1]);
  assert.equal(model.components.length, 3 * 15_069);
  for (const [row, column] of [[0, 0], [1, 1], [2, 300]] as const) {
    for (const i of [0, 7, 15_068]) {
      assert.equal(model.components[row * 15_069 + i], drawn.shapedirs.data[i * 400 + column]);
    }
  }
  assert.equal(model.poseCorrectives[35 * 15_069 + 11], drawn.posedirs.data[11 * 36 + 35]);
  await assert.rejects(readFlame(source(drawn), { expression: 101 }), /100 expression components, not 100 and 101/);
});

Deno.test("readFlame() names what a file lacks or has otherwise", async () => {
  const { kintree_table: _, ...without } = drawn;
  await assert.rejects(readFlame(source(without)), /"kintree_table" must be \[2,5\], and it is absent/);
  const tree = { shape: [2, 5], data: Uint32Array.of(0, 2, 1, 1, 1, 0, 1, 2, 3, 4) };
  await assert.rejects(readFlame(source({ ...drawn, kintree_table: tree })), /joints hang on each other as -1,2,1,1,1/);
  const f = { shape: [9976, 3], data: drawn.f.data.map((vertex, i) => i === 5 ? 5023 : vertex) };
  await assert.rejects(readFlame(source({ ...drawn, f })), /a triangle names vertex 5023, and there are 5023/);
  const smpl = { v_template: { shape: [6890, 3], data: new Float32Array(3 * 6890) } };
  await assert.rejects(readFlame(source(smpl)), /must hold FLAME.* It holds SMPL, a body model/);
});

Deno.test("readFlameLandmarks() reads the arrays of NumPy and of PyTorch", async () => {
  const { fixed, inner, contours } = await readFlameLandmarks(bytesSource(embedding), TRIANGLES);
  assert.deepEqual([fixed, inner, contours].map(({ triangles }) => triangles.length), [68, 51, 79 * 17]);
  for (const { triangles, weights } of [fixed, inner, contours]) {
    assert.equal(weights.length, 3 * triangles.length);
    triangles.forEach((_, i) => {
      const sum = weights[3 * i]! + weights[3 * i + 1]! + weights[3 * i + 2]!;
      assert.ok(Math.abs(sum - 1) < 1e-6 && weights[3 * i]! > 0);
    });
  }
});

Deno.test("readFlameLandmarks() runs nothing, and says what is wrong", async () => {
  const refused = (bytes: Uint8Array<ArrayBuffer>, message: RegExp) =>
    assert.rejects(readFlameLandmarks(bytesSource(bytes, "x.npy"), TRIANGLES), { name: "TensorFileError", message });
  await assert.rejects(
    readFlameLandmarks(bytesSource(embedding), { triangles: 10 }),
    /names triangle \d+, and there are 10/,
  );
  await refused(embedding.slice(0, 3000), /Cannot read x\.npy: it is (damaged|cut off)/);
  await refused(embedding.slice(128), /no NumPy file of one Python object/);
  const text = latin1(embedding);
  const renamed = Uint8Array.from(
    text.replace("torch._utils\n_rebuild_tensor_v2", "os\nsystem"),
    (c) => c.charCodeAt(0),
  );
  await refused(renamed, /os\.system/);
  const other = Uint8Array.from(text.replace("static_lmk_faces_idx", "static_lmk_faces_idy"), (c) => c.charCodeAt(0));
  await refused(other, /has no array "static_lmk_faces_idx"/);
});

Deno.test("readFlameLandmarks() answers to damage with an error of its own or with landmarks", async () => {
  let state = 7;
  const random = (count: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % count;
  let refusals = 0;
  for (let trial = 0; trial < 300; trial++) {
    const bytes = embedding.slice();
    for (let k = 0; k < 3; k++) bytes[random(trial % 2 === 0 ? 4000 : bytes.length)] = random(256);
    try {
      await readFlameLandmarks(bytesSource(bytes), TRIANGLES);
    } catch (error) {
      assert.equal((error as Error).name, "TensorFileError", String(error));
      refusals++;
    }
  }
  assert.ok(refusals > 30, `${refusals} of 300 damaged files were refused`);
});

Deno.test("the albedo is every second texel, red first, as its authors' module has it", () => {
  const [side, all] = [512, 4];
  const [size, { code, every, values }] = [side * side * 3, golden.albedo];
  const mean = halvedPlanes(Float32Array.from({ length: size }, (_, i) => (i * 7 % 256) / 255), {
    side,
    all: 1,
    taken: 1,
  });
  const basis = Float32Array.from({ length: size * all }, (_, i) => {
    return ((Math.floor(i / all) * 31 + i % all * 17) % 256 - 128) / 1000;
  });
  const components = halvedPlanes(basis, { side, all, taken: 3 });
  const found = [];
  for (let texel = 0; texel < 256 * 256; texel += every) {
    for (let c = 0; c < 3; c++) {
      const at = 3 * texel + c;
      found.push(mean[at]! + code.reduce((sum, value, k) => sum + value * components[k * mean.length + at]!, 0));
    }
  }
  assert.ok(relativeError(Float32Array.from(found), numbers(values)) < 1e-5);
});

Deno.test("readFlameAlbedo() refuses another file and more components than there are", async () => {
  const texture = { mean: { shape: [512, 512, 3], data: new Float32Array(512 * 512 * 3) } };
  await assert.rejects(readFlameAlbedo(source(texture, "x.npz")), /x\.npz must hold the albedo basis of FLAME/);
  await assert.rejects(readFlameAlbedo(source(texture), { components: 200 }), /has 199 components, not 200/);
});

Deno.test("unitAlbedo() is the same space with rows of unit length", () => {
  const mean = Float32Array.from({ length: 12 }, (_, i) => i / 12);
  const components = Float32Array.from({ length: 36 }, (_, i) => i < 24 ? Math.sin(i) / 9 : 0);
  const model = unitAlbedo({ size: 2, mean, components });
  const code = Float32Array.of(1.5, -2, 3);
  const expected = mean.map((value, i) =>
    code.reduce((sum, weight, k) => sum + weight * components[12 * k + i]!, value)
  );
  assert.ok(relativeError(albedoOf(model, code), expected) < 1e-6);
  const [first] = [model.albedoBasis.subarray(0, 12)];
  assert.ok(Math.abs(first!.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-6);
  assert.equal(model.albedoSigma[2], 0);
});
