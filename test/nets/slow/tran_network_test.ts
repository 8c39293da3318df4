import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadTran } from "../../../face/tran_faces.ts";
import { TRAN_MAP } from "../../../nets/tran_decoder.ts";
import { readTranDefinition } from "../../../nets/tran_definition.ts";
import { openTranNetwork, type TranCode } from "../../../nets/tran_network.ts";
import { openTranRegressor } from "../../../nets/tran_regressor.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnCheckpoint, drawnFaces, numbers } from "../../golden/drawn.ts";
import golden from "../../golden/tran.json" with { type: "json" };
import { folderOf, tranFiles } from "../../golden/tran_drawn.ts";
import { checkpoint } from "../files/checkpoint_writer.ts";

const tf = await openTfjs();
const faces = tf.tensor4d(drawnFaces(2, 224), [2, 224, 224, 3]);

const read = (tensor: Tensor) => tensor.data<"float32">();
const half = (values: Float32Array, face: number) =>
  values.slice(face * values.length / 2, (face + 1) * values.length / 2);

/** The regressor is the network and the mesh, one after the other. */
async function regressed(code: TranCode): Promise<void> {
  const definition = folderOf(tranFiles());
  const regressor = await openTranRegressor({
    network: checkpoint(drawnCheckpoint(golden.parts.tensors), "Nonlinear3DMM.model-20"),
    definition,
  });
  const mesh = await uploadTran(tf, await readTranDefinition(definition), TRAN_MAP);
  const [made, again] = [regressor.reconstruct(faces), mesh.faces(code, { size: 224 })];
  for (const name of ["vertices", "texture", "colours"] as const) {
    assert.deepEqual(await read(made[name]), await read(again[name]), name);
  }
  assert.deepEqual(regressor.mesh.triangles, mesh.triangles);
  const crop = regressor.place({ left: 200, top: 100, width: 110, height: 110 }, { width: 640, height: 480 });
  assert.equal(crop.size, 224);
  for (const part of [made, again]) tf.dispose(Object.values<Tensor>(part));
  regressor.dispose();
  mesh.dispose();
}

for (const form of ["whole", "parts"] as const) {
  const { tensors, ...told } = golden[form];
  Deno.test(`Tran's networks, decoders of the form ${form}, give what the published layers give`, async () => {
    const before = tf.memory().numTensors;
    const network = await openTranNetwork(checkpoint(drawnCheckpoint(tensors), "Nonlinear3DMM.model-20"));
    const code = network.encode(faces);
    const values: Record<keyof TranCode, Float32Array> = {
      camera: await read(code.camera),
      light: await read(code.light),
      shape: await read(code.shape),
      albedo: await read(code.albedo),
    };
    for (const face of [0, 1]) {
      const [camera, light] = [half(values.camera, face), half(values.light, face)];
      assert.ok(relativeError(camera, numbers(told.camera).slice(8 * face, 8 * face + 8)) < 1e-4, `camera ${face}`);
      assert.ok(relativeError(light, numbers(told.light).slice(27 * face, 27 * face + 27)) < 1e-4, `light ${face}`);
      const sampled = (map: Float32Array) => half(map, face).filter((_, i) => i % golden.every === 0);
      assert.ok(relativeError(sampled(values.shape), numbers(told.shape[face]!)) < 1e-4, `shape ${face}`);
      // the authors' albedo is from −1 to 1
      const albedo = sampled(values.albedo).map((value) => 2 * value - 1);
      assert.ok(relativeError(albedo, numbers(told.albedo[face]!)) < 1e-4, `albedo ${face}`);
    }
    assert.deepEqual(code.shape.shape, [2, 192, 224, 3]);
    assert.deepEqual(code.light.shape, [2, 3, 9]);

    const second = tf.slice(faces, [1, 0, 0, 0], [1, -1, -1, -1]);
    const alone = network.encode(second);
    for (const name of ["camera", "light", "shape", "albedo"] as const) {
      assert.deepEqual(await read(alone[name]), half(values[name], 1), `${name} of a face alone and in a batch`);
    }
    tf.dispose([second, ...Object.values(alone)]);
    network.dispose();
    if (form === "parts") await regressed(code);
    tf.dispose(code);
    assert.equal(tf.memory().numTensors, before);
    await (await openGpu()).assertHealthy("Tran's networks");
  });
}

Deno.test("Tran's networks say which file is wrong, and which crop", async () => {
  const weights = drawnCheckpoint(golden.whole.tensors);
  const rejects = (tensors: typeof weights, message: RegExp) =>
    assert.rejects(openTranNetwork(checkpoint(tensors, "x")), { name: "TensorFileError", message });
  const { "g_s32/kernel": _, ...without } = weights;
  await rejects(without, /x\.index: .* has no tensor "g_s32\/kernel"/);
  const { "g_s5_lin/Matrix": __, ...headless } = weights;
  await rejects(headless, /has Tran's encoder, and neither the decoders/);
  const narrow = { shape: [3, 3, 128, 7], data: new Float32Array(9 * 128 * 7) };
  await rejects(
    { ...weights, "g_h31/kernel": narrow },
    /"g_h31\/kernel" must be \[3,3,any,256\], and it is \[3,3,128,7\]/,
  );
  const { "g_k6_m_lin/bias": ___, ...other } = weights;
  await rejects(other, /must hold the networks of Tran et al\., and "g_k6_m_lin\/bias" is absent/);
  const network = await openTranNetwork(checkpoint(weights, "x"));
  const large = tf.zeros([1, 256, 256, 3]) as typeof faces;
  assert.throws(() => network.encode(large), /takes crops of 224×224, not 256×256/);
  large.dispose();
  network.dispose();
});
