import assert from "node:assert/strict";
import type { Tensor3D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { pasteWeights } from "../../face/paste_weights.ts";
import { pasteWeightsCpu } from "../../face/paste_weights_cpu.ts";
import { inside, posed, SIZE, topology } from "../stages/face_lab.ts";
import { maxDifference, randomStream } from "./head.ts";

Deno.test("what is pasted agrees with the reference, fades out at the mask's border, and leaves the seen", async () => {
  const tf = await openTfjs();
  const next = randomStream(4);
  const meshes = [posed(0), posed(20)];
  const visibilities = [
    Float32Array.from(inside, (value) => value * next()),
    Float32Array.from(inside, (_, i) => i % SIZE < SIZE / 2 ? 1 : 0),
  ];
  const tensor = tf.tidy(() => {
    const seen = tf.stack(visibilities.map((map) => tf.tensor2d(map, [SIZE, SIZE]))) as Tensor3D;
    return pasteWeights(tf, seen, { meshes, topology });
  });
  const values = await tensor.data<"float32">();
  tensor.dispose();
  const found = meshes.map((_, i) => values.slice(SIZE ** 2 * i, SIZE ** 2 * (i + 1)));
  for (const [i, vertices] of meshes.entries()) {
    const expected = pasteWeightsCpu(visibilities[i]!, { vertices, topology });
    assert.ok(maxDifference(found[i]!, expected) < 1e-4);
  }
  const half = found[1]!;
  assert.ok(half.every((value, i) => i % SIZE >= SIZE / 2 || value === 0), "what was seen stays");
  assert.ok(half.some((value) => value > 0.99), "what was not is pasted");
  for (let i = 0; i < half.length; i++) {
    const border = inside[i] === 1 && [1, -1, SIZE, -SIZE].some((step) => inside[i + step] !== 1);
    if (border) assert.ok(half[i]! < 0.6, `${half[i]} at the border`);
  }
});
