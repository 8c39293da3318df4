import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { applySparseCpu } from "@ftim/gpu/sparse-cpu";
import { openTfjs } from "@ftim/gpu/tfjs";
import { decaCrop } from "../../../face/crop.ts";
import { projectDecaCpu } from "../../../face/deca_camera_cpu.ts";
import { flameCpu } from "../../../face/flame_cpu.ts";
import { chartMatrix } from "../../../face/template_mesh.ts";
import { bilinearCrops } from "../../../nets/bilinear_crop.ts";
import { openDecaRegressor } from "../../../nets/deca_regressor.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { readFlame } from "../../../nets/flame_file.ts";
import { readFlameLandmarks } from "../../../nets/flame_landmarks_file.ts";
import { encodeSafetensors } from "../../../nets/safetensors.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnState, type DrawnTensor } from "../../golden/drawn.ts";
import { drawnFlame, drawnTemplate } from "../../golden/flame_drawn.ts";
import golden from "../../golden/resnet50.json" with { type: "json" };
import { oldTorchArchive } from "../files/torch_writer.ts";
import { noise } from "../inputs.ts";

const tf = await openTfjs();
const detail = { "E_detail.layers.2.weight": { shape: [128, 1024], data: new Float32Array(128 * 1024) } };
const weights: Record<string, DrawnTensor> = { ...drawnState(golden.deca.tensors), ...detail };
// a drawn network's numbers are some 10⁴; a head's are about 1
for (const name of ["E_flame.layers.2.weight", "E_flame.layers.2.bias"]) {
  weights[name] = { ...weights[name]!, data: weights[name]!.data.map((value) => 5e-5 * value) };
}
const landmarks = new URL("../../golden/files/landmark_embedding.npy", import.meta.url);
const embedding = bytesSource(await Deno.readFile(landmarks));
const flame = bytesSource(encodeSafetensors(drawnFlame()), "flame");

const read = (tensor: Tensor) => tensor.data<"float32">();

Deno.test("DECA's regressor gives heads, landmarks and places in the crop that follow from its code", async () => {
  const model = await readFlame(flame);
  const landmarks = await readFlameLandmarks(embedding, { triangles: model.triangles.length / 3 });
  const before = tf.memory().numTensors;
  const regressor = await openDecaRegressor({
    encoder: bytesSource(oldTorchArchive(weights), "deca_model.tar"),
    flame,
    landmarks: embedding,
    template: drawnTemplate(),
  });
  const photographs = [1, 2].map((seed) => {
    const image = noise({ width: 300, height: 280, seed });
    return { image, transform: decaCrop({ left: 50 * seed, top: 30, width: 150, height: 170 }, { photograph: image }) };
  });
  const faces = regressor.regress(photographs);
  assert.equal(faces.albedo, undefined);
  const { shape, expression, pose, camera, light } = faces.code;
  assert.deepEqual(light.shape, [2, 9, 3]);
  const [shapes, expressions, poses, cameras] = await Promise.all([shape, expression, pose, camera].map(read));
  const [vertices, posed, moving, fixed] = await Promise.all(
    [faces.vertices, faces.posed, faces.landmarks, faces.fixedLandmarks].map(read),
  );
  for (const i of [0, 1]) {
    const part = (values: Float32Array, size: number) => values.subarray(size * i, size * (i + 1));
    const head = flameCpu(model, landmarks, {
      components: [...part(shapes!, 100), ...part(expressions!, 50)],
      pose: part(poses!, 6),
    });
    const inCrop = (points: ArrayLike<number>) => projectDecaCpu(points, { camera: part(cameras!, 3), size: 224 });
    assert.ok(relativeError(part(vertices!, 3 * 5023), head.vertices) < 1e-4, `vertices of face ${i}`);
    assert.ok(relativeError(part(posed!, 3 * 5023), inCrop(head.vertices)) < 1e-4, `posed vertices of face ${i}`);
    assert.ok(relativeError(part(moving!, 3 * 68), inCrop(head.landmarks)) < 1e-4, `landmarks of face ${i}`);
    assert.ok(relativeError(part(fixed!, 3 * 68), inCrop(head.fixedLandmarks)) < 1e-4, `fixed landmarks of face ${i}`);
  }
  const chart = regressor.toChart(faces.posed);
  assert.deepEqual(chart.shape, [2, 256, 256, 3]);
  const texels = await read(chart);
  const matrix = chartMatrix(regressor.mesh, 256);
  for (const i of [0, 1]) {
    const own = posed!.slice(3 * 5023 * i, 3 * 5023 * (i + 1));
    const map = texels.slice(3 * 256 * 256 * i, 3 * 256 * 256 * (i + 1));
    assert.ok(relativeError(map, applySparseCpu(matrix, own)) < 1e-6, `chart of face ${i}`);
  }
  chart.dispose();
  const crops = bilinearCrops(tf, photographs, { size: 224 });
  const again = regressor.regressCrops(crops);
  assert.deepEqual(await read(again.posed), posed);
  crops.dispose();
  for (const { code, albedo: _, ...rest } of [faces, again]) {
    tf.dispose([...Object.values(code), ...Object.values(rest)]);
  }
  regressor.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("DECA's regressor");
});

Deno.test("DECA's regressor refuses a template of another mesh", async () => {
  const template = drawnTemplate().split("\n").slice(0, -1).join("\n");
  const encoder = bytesSource(new Uint8Array());
  await assert.rejects(
    openDecaRegressor({ encoder, flame, landmarks: embedding, template }),
    /has 5023 vertices and 9975 triangles; the model has 5023 and 9976/,
  );
});
