import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { DECA_CODE, openDecaEncoder, splitDecaCode } from "../../../nets/deca_encoder.ts";
import { openDengEncoder, splitDengCode } from "../../../nets/deng_encoder.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { drawnFaces, drawnState, numbers } from "../../golden/drawn.ts";
import golden from "../../golden/resnet50.json" with { type: "json" };
import { oldTorchArchive } from "../files/torch_writer.ts";

const tf = await openTfjs();
const faces = tf.tensor4d(drawnFaces(2, 224), [2, 224, 224, 3]);
/** DECA's file holds a second encoder, which is not read. */
const detail = { "E_detail.layers.2.weight": { shape: [128, 1024], data: new Float32Array(128 * 1024) } };
const decaWeights = { ...drawnState(golden.deca.tensors), ...detail };
const dengWeights = drawnState(golden.deng.tensors);

const read = async (tensor: Tensor) => {
  const values = await tensor.data<"float32">();
  tensor.dispose();
  return values;
};
const second = () => tf.slice(faces, [1, 0, 0, 0], [1, -1, -1, -1]);

/**
 * Each face's code is within 1e-4, and so is what the two faces differ by, within 2e-3: drawn networks make nearly the
 * same of all pictures, so that the first alone would say little.
 */
function near(codes: Float32Array, expected: readonly string[]): void {
  const [first, second] = expected.map(numbers) as [Float64Array, Float64Array];
  const { length } = first;
  assert.ok(relativeError(codes.slice(0, length), first) < 1e-4, "the first face");
  assert.ok(relativeError(codes.slice(length), second) < 1e-4, "the second face");
  const found = codes.slice(0, length).map((value, i) => value - codes[length + i]!);
  assert.ok(relativeError(found, first.map((value, i) => value - second[i]!)) < 2e-3, "what the faces differ by");
}

Deno.test("DECA's encoder gives what its authors' code gives, alone and in a batch, and leaks nothing", async () => {
  const before = tf.memory().numTensors;
  const encoder = await openDecaEncoder(bytesSource(oldTorchArchive(decaWeights), "deca_model.tar"));
  const codes = await read(encoder.encode(faces));
  near(codes, golden.deca.codes);
  const one = second();
  assert.deepEqual(await read(encoder.encode(one)), codes.slice(236));
  one.dispose();
  encoder.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("DECA's encoder");
});

Deno.test("Deng's encoder gives what its authors' code gives, whatever saved it", async () => {
  // DataParallel puts this in front
  const renamed = Object.fromEntries(Object.entries(dengWeights).map(([name, tensor]) => [`module.${name}`, tensor]));
  const encoder = await openDengEncoder(bytesSource(oldTorchArchive(renamed), "epoch_20.pth"));
  const parts = encoder.encode(faces);
  const codes = tf.tidy(() => tf.concat(Object.values(parts).map((part) => tf.reshape(part, [2, -1])), 1));
  tf.dispose(parts);
  near(await read(codes), golden.deng.codes);
  encoder.dispose();
});

Deno.test("a code is taken apart in its authors' order", async () => {
  const ramp = (length: number) => tf.tensor2d(Float32Array.from({ length: 2 * length }, (_, i) => i), [2, length]);
  const deca = splitDecaCode(tf, ramp(236));
  const firsts = [];
  for (const part of Object.values(deca)) firsts.push((await part.data())[0]);
  assert.deepEqual(firsts, [0, 100, 150, 200, 206, 209]);
  assert.deepEqual(Object.keys(deca), Object.keys(DECA_CODE));
  // band-major, RGB last: band 2 of green is number 209 + 3·2 + 1 of the second code
  assert.equal((await deca.light.array())[1]![2]![1], 236 + 209 + 7);
  const deng = splitDengCode(tf, ramp(257));
  const starts = [];
  for (const part of Object.values(deng)) starts.push((await part.data())[0]);
  assert.deepEqual(starts, [0, 80, 144, 224, 227, 254]);
  // colour-major: green's band 2 is number 227 + 9 + 2
  assert.equal((await deng.light.array())[0]![1]![2], 227 + 11);
});

Deno.test("an encoder says which file is wrong, and which picture", async () => {
  await assert.rejects(
    openDecaEncoder(bytesSource(oldTorchArchive(dengWeights), "x.tar")),
    /x\.tar must hold DECA, and "E_flame\.encoder\.conv1\.weight" is absent\. It holds Deep3DFaceRecon/,
  );
  const { "net_recon.backbone.layer2.1.bn2.running_var": _, ...without } = dengWeights;
  await assert.rejects(
    openDengEncoder(bytesSource(oldTorchArchive(without), "x.pth")),
    /Cannot read x\.pth: .* has no tensor "net_recon\.backbone\.layer2\.1\.bn2\.running_var"/,
  );
  const encoder = await openDengEncoder(bytesSource(oldTorchArchive(dengWeights)));
  const small = tf.zeros([1, 112, 112, 3]) as typeof faces;
  assert.throws(() => encoder.encode(small), /takes pictures of 224×224, not 112×112/);
  small.dispose();
  encoder.dispose();
});
