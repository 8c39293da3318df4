import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openGraphModel, readWeights } from "../../nets/graph_model.ts";
import { near } from "./inputs.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const shape = (...dim: number[]) => ({ shape: { dim: dim.map(String).map((size) => ({ size })) } });
const dtype = { type: "DT_FLOAT" };
const doubling = {
  format: "graph-model",
  modelTopology: {
    node: [
      { name: "x", op: "Placeholder", attr: { dtype, shape: shape(-1, 2) } },
      { name: "w", op: "Const", attr: { dtype } },
      { name: "y", op: "Mul", input: ["x", "w"], attr: { T: dtype } },
    ],
    versions: { producer: 1 },
  },
  weightsManifest: [{ paths: ["w.bin"], weights: [{ name: "w", shape: [2], dtype: "float32" }] }],
};

Deno.test("openGraphModel() runs a model from bytes that lie inside of a larger buffer", async () => {
  const tf = await openTfjs();
  const weights = new Uint8Array(Float32Array.of(0, 2, -3).buffer).subarray(4);
  const model = await openGraphModel(tf, { model: encode(doubling), weights });
  const y = model.execute(tf.tensor2d([[1, 2], [3, 4]]), "y");
  near(await (y as ReturnType<typeof tf.tensor>).data(), [2, -6, 6, -12], 0);
  model.dispose();
});

Deno.test("openGraphModel() refuses weights of another size and what is no graph model", async () => {
  const tf = await openTfjs();
  const model = encode(doubling);
  for (const length of [0, 7, 9]) {
    const opened = openGraphModel(tf, { model, weights: new Uint8Array(length) });
    await assert.rejects(opened, {
      name: "RangeError",
      message: new RegExp(`asks for 8 bytes of weights, ${length} came`),
    });
  }
  for (const json of [null, [], { ...doubling, format: "layers-model" }, { ...doubling, weightsManifest: 1 }]) {
    await assert.rejects(openGraphModel(tf, { model: encode(json), weights: new Uint8Array(8) }), SyntaxError);
  }
  await assert.rejects(openGraphModel(tf, { model: model.subarray(0, 50), weights: new Uint8Array(8) }), SyntaxError);
});

Deno.test("readWeights() dequantises", async () => {
  const tf = await openTfjs();
  const quantization = { dtype: "uint8", scale: 0.5, min: -1 };
  const manifest = encode([{ paths: ["w.bin"], weights: [{ name: "w", shape: [3], dtype: "float32", quantization }] }]);
  const { w } = readWeights(tf, { manifest, weights: Uint8Array.of(0, 1, 255) });
  near(await w!.data(), [-1, -0.5, 126.5], 0);
  assert.throws(() => readWeights(tf, { manifest, weights: new Uint8Array(4) }), /asks for 3 bytes, 4 came/);
});
