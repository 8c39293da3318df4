import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openConvolutionChain } from "../../nets/convolution_chain.ts";
import { type GraphModelFiles, openGraphModel } from "../../nets/graph_model.ts";
import { asset } from "../assets.ts";
import { randomStream } from "../face/head.ts";

const files: GraphModelFiles = {
  model: await asset("models/faceres.json"),
  weights: await asset("models/faceres.bin"),
};
const before = "global_pooling/Mean";

/** The model with its topology changed. */
function changed(change: (nodes: { name: string; op: string; input?: string[] }[]) => void): GraphModelFiles {
  const json = JSON.parse(new TextDecoder().decode(files.model));
  change(json.modelTopology.node);
  return { ...files, model: new TextEncoder().encode(JSON.stringify(json)) };
}

Deno.test("a chain of convolutions gives what the graph model gives, and leaks nothing", async () => {
  const tf = await openTfjs();
  const next = randomStream(3);
  const x = tf.tensor4d(Float32Array.from({ length: 224 * 224 * 3 }, () => 200 * next() - 100), [1, 224, 224, 3]);
  const model = await openGraphModel(tf, files);
  const numTensors = tf.memory().numTensors;
  const chain = openConvolutionChain(tf, files, { before });
  const folded = tf.tidy(() => tf.mean(chain.apply(x), [1, 2]));
  const plain = model.execute(x, before) as Tensor;
  const [a, b] = [await folded.data(), await plain.data()];
  assert.equal(a.length, 1024);
  const scale = Math.max(...b);
  for (let i = 0; i < b.length; i++) assert.ok(Math.abs(a[i]! - b[i]!) < 1e-4 * scale, `${i}: ${a[i]} and ${b[i]}`);
  chain.dispose();
  tf.dispose([folded, plain]);
  assert.equal(tf.memory().numTensors, numTensors);
  model.dispose();
  x.dispose();
});

Deno.test("what is no chain of convolutions is refused by name, and leaks nothing", async () => {
  const tf = await openTfjs();
  const numTensors = tf.memory().numTensors;
  const refused = (wrong: GraphModelFiles, message: RegExp) =>
    assert.throws(() => openConvolutionChain(tf, wrong, { before }), message);
  refused(changed((nodes) => nodes.findLast(({ op }) => op === "Relu")!.op = "Elu"), /followed by .*Elu/);
  refused(
    changed((nodes) => {
      const clip = nodes.find(({ op }) => op === "Minimum")!;
      clip.input![1] = "conv1_relu/Const_1";
    }),
    /clipped to 0\.\.0 and not to 0\.\.6/,
  );
  refused(changed((nodes) => nodes.find(({ name }) => name === before)!.input![0] = "nowhere"), /no node nowhere/);
  assert.equal(tf.memory().numTensors, numTensors);
});
