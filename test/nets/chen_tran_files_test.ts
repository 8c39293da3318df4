import assert from "node:assert/strict";
import { type ChenChartFiles, readChenChart } from "../../nets/chen_chart_file.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { readChenModel } from "../../nets/chen_face_model.ts";
import { encodeSafetensors, type TensorToEncode } from "../../nets/safetensors.ts";
import { readTranDefinition } from "../../nets/tran_definition.ts";
import { CHEN_VERTICES, drawnChenModel } from "../golden/chen_drawn.ts";
import { folderOf, TRAN_VERTICES, tranFiles } from "../golden/tran_drawn.ts";

Deno.test("readTranDefinition() counts from 0, and takes corners and rings apart", async () => {
  const files = tranFiles();
  const model = await readTranDefinition(folderOf(files));
  assert.equal(model.mean.length, 3 * TRAN_VERTICES);
  assert.deepEqual([...model.triangles.subarray(0, 6)], [0, 1, 36, 1, 37, 36]);
  assert.deepEqual([...model.around.subarray(8, 16)], [0, 1, 2, -1, -1, -1, -1, -1]);
  assert.deepEqual([...model.places.subarray(0, 4)], [6, 5, 6, 11]);
  assert.equal(model.texels[0], -1);
  assert.equal(model.texels[6 * 224 + 5], 0);
  // the mean is that of shape and that of expression, and not what follows in their files
  const floats = (name: string) => new Float32Array(files.get(name)!.buffer);
  const [shape, expression] = [floats("3DMM_shape_basis.dat"), floats("3DMM_exp_basis.dat")];
  assert.equal(model.mean[100], Math.fround(shape[100]! + expression[100]!));
  assert.deepEqual(model.camera.mean.at(-1), 110);
});

Deno.test("readTranDefinition() names what is absent, cut off, or of another mesh", async () => {
  const files = tranFiles();
  const refused = (changed: [string, Uint8Array<ArrayBuffer>][], message: RegExp) =>
    assert.rejects(readTranDefinition(folderOf(new Map([...files, ...changed]))), { name: "TensorFileError", message });
  await assert.rejects(readTranDefinition(folderOf(new Map())), /vertices_2d_u\.dat is not there/);
  await refused([["vertices_2d_v.dat", files.get("vertices_2d_v.dat")!.slice(4)]], /have 4320 and 4316 bytes/);
  await refused([["3DMM_tri.dat", files.get("3DMM_tri.dat")!.slice(1)]], /three whole numbers a triangle/);
  await refused(
    [["3DMM_exp_basis.dat", new Uint8Array(100)]],
    /3DMM_exp_basis\.dat: it must have at least 12960 bytes/,
  );
  await refused([["3DMM_tri_2d.dat", new Uint8Array(100)]], /3DMM_tri_2d\.dat: it must have 172032 bytes/);
  const far = files.get("3DMM_tri.dat")!.slice();
  new Int32Array(far.buffer)[7] = 1081;
  await refused([["3DMM_tri.dat", far]], /3DMM_tri\.dat: it names number 1081, and there are 1080/);
  const none = files.get("3DMM_tri.dat")!.slice();
  new Int32Array(none.buffer)[7] = 0;
  await refused([["3DMM_tri.dat", none]], /it names number 0/);
});

Deno.test("readChenModel() takes the first components, each times its deviation", async () => {
  const drawn = drawnChenModel();
  const model = await readChenModel(bytesSource(encodeSafetensors(drawn)));
  const size = 3 * CHEN_VERTICES;
  assert.equal(model.components.length, 109 * size);
  assert.equal(model.albedoComponents.length, 80 * size);
  const product = (k: number, i: number) =>
    Math.fround(drawn.bases_shape.data[i * 199 + k]! * drawn.sigma_shape.data[k]!);
  assert.equal(model.components[79 * size + 5], product(79, 5));
  const first = Math.fround(drawn.bases_exp.data[5 * 29]! * drawn.sigma_exp.data[0]!);
  assert.equal(model.components[80 * size + 5], first);
  assert.ok(model.albedoMean.every((value) => value > 0.4 && value < 0.8));
});

Deno.test("readChenModel() says what does not fit", async () => {
  const drawn: Record<string, TensorToEncode> = drawnChenModel();
  const refused = (changed: Record<string, TensorToEncode>, message: RegExp) =>
    assert.rejects(readChenModel(bytesSource(encodeSafetensors({ ...drawn, ...changed }), "x.mat")), {
      name: "TensorFileError",
      message,
    });
  const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  await refused({ mu_exp: zeros(12, 1) }, /"mu_exp" must have 1500 values, and it is \[12,1\]/);
  await refused({ bases_tex: zeros(1500, 80) }, /"bases_tex" must be \[1500,199\], and it is \[1500,80\]/);
  await refused({ tri: { shape: [1, 3], data: Int32Array.of(0, 1, 500) } }, /names vertex 500, and there are 500/);
  await refused({ tri: zeros(4, 4) }, /"tri" must be \[any,3\], and it is \[4,4\]/);
  const { mask_face: _, ...without } = drawn;
  await assert.rejects(
    readChenModel(bytesSource(encodeSafetensors(without), "x.mat")),
    /must hold the Basel Face Model 2009 with expressions of Chen et al\., and "mask_face" is absent/,
  );
});

const model = bytesSource(encodeSafetensors(drawnChenModel()), "BFM2009_Model.mat");
const vertices = (data: Float32Array) => ({ shape: [data.length], data });
function chartFiles(): ChenChartFiles {
  const one = (data: Float32Array, name: string) => bytesSource(encodeSafetensors({ arr: vertices(data) }), name);
  const brows = Float32Array.from({ length: CHEN_VERTICES }, (_, i) => i === 0 ? 0 : 1);
  return {
    model,
    places: bytesSource(encodeSafetensors({ uv_ind: { shape: [CHEN_VERTICES, 2], data: new Float32Array(1000) } })),
    brows: one(brows, "wo_eyebrow_mask.npy"),
    nose: one(new Float32Array(CHEN_VERTICES).fill(1), "wo_nose_mask.npy"),
    face: {
      width: 512,
      height: 512,
      data: new Uint8Array(3 * 512 * 512).map((_, i) => i === 30 ? 255 : i === 33 ? 127 : 0),
    },
  };
}

Deno.test("readChenChart() smooths brows and nose, and takes the first channel of the mask", async () => {
  const { triangles } = await readChenModel(model);
  const chart = await readChenChart(chartFiles(), { triangles, vertexCount: CHEN_VERTICES });
  assert.equal(chart.face[10], 1);
  assert.equal(chart.face.reduce((a, b) => a + b, 0), 1);
  const eyes = drawnChenModel().mask_wo_eye.data;
  // far from vertex 0 nothing is less than 1; ten rounds reach ten vertices far
  assert.ok(Math.abs(chart.moved.at(-1)! - eyes.at(-1)!) < 1e-6);
  assert.ok(chart.moved[5]! < eyes[5]! - 1e-4);
});

Deno.test("readChenChart() says what does not fit", async () => {
  const { triangles } = await readChenModel(model);
  const refused = (changed: Partial<ChenChartFiles>, message: RegExp) =>
    assert.rejects(readChenChart({ ...chartFiles(), ...changed }, { triangles, vertexCount: CHEN_VERTICES }), {
      name: "TensorFileError",
      message,
    });
  await refused({ face: { width: 256, height: 256, data: new Uint8Array(256 ** 2) } }, /512×512 pixels, not 256×256/);
  const short = bytesSource(encodeSafetensors({ arr: vertices(new Float32Array(3)) }), "wo_nose_mask.npy");
  await refused({ nose: short }, /wo_nose_mask\.npy: it has 3 values, and there are 500 vertices/);
  const places = bytesSource(encodeSafetensors({ uv_ind: { shape: [3, 2], data: new Float32Array(6) } }), "uv.npz");
  await refused({ places }, /"uv_ind" must be \[500,2\], and it is \[3,2\]/);
});
