import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openFacenet } from "../../../nets/facenet.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnFaces, drawnState, drawnUniform, numbers } from "../../golden/drawn.ts";
import golden from "../../golden/facenet.json" with { type: "json" };
import { oldTorchArchive } from "../files/torch_writer.ts";
import { cosine } from "../inputs.ts";

const tf = await openTfjs();
/** The file holds the layer that tells the persons of VGGFace2 apart, too, which is not read. */
const logits = { "logits.weight": { shape: [8631, 512], data: new Float32Array(8631 * 512) } };
const weights = { ...drawnState(golden.tensors), ...logits };
const network = await openFacenet(bytesSource(oldTorchArchive(weights), "vggface2.pt"));
const descriptors = golden.descriptors.map(numbers);
const faces = tf.tensor4d(drawnFaces(2, 160), [2, 160, 160, 3]);

Deno.test("FaceNet gives the descriptors of facenet-pytorch, each the same alone", async () => {
  const before = tf.memory().numTensors;
  const both = network.embed(faces);
  const found = await both.data<"float32">();
  assert.ok(cosine(descriptors[0]!, descriptors[1]!) < 0.999, "the golden faces are nearly alike");
  for (const [i, expected] of descriptors.entries()) {
    const own = found.slice(512 * i, 512 * (i + 1));
    assert.ok(cosine(own, expected) > 0.99999, `face ${i}`);
    assert.ok(relativeError(own, expected) < 1e-4, `face ${i}`);
    assert.ok(Math.abs(Math.hypot(...own) - 1) < 1e-5);
  }
  const second = tf.slice(faces, [1, 0, 0, 0], [1, -1, -1, -1]);
  const alone = network.embed(second);
  assert.deepEqual(await alone.data(), found.slice(512));
  tf.dispose([both, second, alone]);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("FaceNet's gradient is that of facenet-pytorch", async () => {
  const factors = tf.tensor2d(Float32Array.from(drawnUniform("weights", 1024), (value) => value - 0.5), [2, 512]);
  const gradient = tf.tidy(() => tf.grad((x) => tf.sum(tf.mul(network.embed(x as typeof faces), factors)))(faces));
  const { every, values } = golden.gradient;
  const found = (await gradient.data<"float32">()).filter((_, i) => i % every === 0);
  assert.ok(cosine(found, numbers(values)) > 0.99999);
  tf.dispose([factors, gradient]);
  await (await openGpu()).assertHealthy("FaceNet");
});

Deno.test("FaceNet looks at a box of a picture of another size, and refuses another training's weights", async () => {
  const large = tf.image.resizeNearestNeighbor(faces, [320, 320]);
  const box = { left: 0, top: 0, width: 320, height: 320 };
  const [whole, boxed] = [network.embed(large), network.embed(large, { box })];
  assert.deepEqual(await boxed.data(), await whole.data());
  tf.dispose([large, whole, boxed]);
  const casia = { ...weights, "logits.weight": { shape: [10_575, 512], data: new Float32Array(10_575 * 512) } };
  await assert.rejects(
    openFacenet(bytesSource(oldTorchArchive(casia), "x.pt")),
    /x\.pt must hold FaceNet .*VGGFace2.* It holds FaceNet .* CASIA-WebFace/,
  );
});
