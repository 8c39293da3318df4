import assert from "node:assert/strict";
import { openSession } from "../../gpu/onnx.ts";
import { openOnThreads } from "../../gpu/onnx_threads.ts";
import { doublingModel } from "./onnx_model.ts";

Deno.test("runs at one time are each answered with their own outputs", async () => {
  const session = await openSession(doublingModel(3), { on: "cpu" });
  assert.deepEqual([session.inputNames, session.outputNames], [["x"], ["y"]]);
  const inputs = Array.from({ length: 20 }, (_, i) => Float32Array.of(i, -i, i / 3));
  const outputs = await Promise.all(inputs.map((data) => session.run({ x: { data, dims: [1, 3] } })));
  for (const [i, { y }] of outputs.entries()) {
    assert.deepEqual(y, { data: inputs[i]!.map((value) => 2 * value), dims: [1, 3] });
  }
  await session.release();
});

Deno.test("a model that cannot be opened, and a run that fails, say why and leave the network usable", async () => {
  await assert.rejects(openOnThreads(new TextEncoder().encode("no model"), { most: 2 }), /protobuf|load|parse/i);

  const network = await openOnThreads(doublingModel(3), { most: 2 });
  await assert.rejects(network.run({ x: { data: new Float32Array(4), dims: [2, 2] } }), /dimension|rank/i);
  const { y } = await network.run({ x: { data: Float32Array.of(1, 2, 3), dims: [1, 3] } });
  assert.deepEqual([...y!.data], [2, 4, 6]);

  const unanswered = network.run({ x: { data: Float32Array.of(1, 2, 3), dims: [1, 3] } });
  network.close();
  await assert.rejects(unanswered, /closed/);
});
