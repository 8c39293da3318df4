import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { type OnnxSession, openSession } from "@ftim/gpu/onnx";
import { type Feed, type NetworkInput, withNetworkInput } from "../../nets/network_input.ts";
import { IMAGENET } from "../../nets/planes.ts";
import { random } from "../gpu/arrays.ts";
import { doublingModel } from "../gpu/onnx_model.ts";

const PARTS: readonly NetworkInput[] = [
  {
    box: { left: 3.3, top: 41.7, width: 20.4, height: 21 },
    width: 16,
    height: 12,
    normalisation: IMAGENET,
    mirrored: true,
  },
  { box: { left: 0, top: 0, width: 61, height: 97 }, width: 7, height: 9, normalisation: { mean: 0.5, deviation: 2 } },
  {
    box: { left: -20, top: -40, width: 120, height: 90 },
    width: 32,
    height: 24,
    border: "zero",
    normalisation: { mean: 127 / 255, deviation: 128 / 255 },
  },
  { box: { left: 50, top: 80, width: 40, height: 60 }, width: 11, height: 13, normalisation: IMAGENET, mirrored: true },
  { box: { left: 10, top: 96, width: 3, height: 2 }, width: 24, height: 16, normalisation: IMAGENET },
];

/** A session that gives what it is fed, doubled, from the network's own place. */
async function doubled(session: OnnxSession, feed: Feed): Promise<Float32Array> {
  const size = feed.dims.reduce((product, dim) => product * dim, 1);
  return (await session.run({ x: { ...feed, dims: [1, size] } })).y!.data;
}

for (const part of PARTS) {
  const what = `${JSON.stringify(part.box)} to ${part.width}×${part.height}`;
  Deno.test(`a network's input is made on the GPU as on the CPU, and read there: ${what}`, async () => {
    const { data } = random([97, 61, 3], 8);
    const image = { width: 61, height: 97, data: data.map((value) => value * 0.5 + 0.5) };
    const [cpu, gpu] = await Promise.all((["cpu", "gpu"] as const).map(async (on) => {
      const session = await openSession(doublingModel(3 * part.width * part.height), { on });
      const found = await withNetworkInput(session, { image, ...part }, async (own, mirrored) => {
        assert.equal("buffer" in own, on === "gpu");
        return [await doubled(session, own), ...(mirrored === undefined ? [] : [await doubled(session, mirrored)])];
      });
      await session.release();
      return found;
    }));
    assert.equal(gpu!.length, part.mirrored ? 2 : 1);
    for (const [i, values] of gpu!.entries()) {
      assert.equal(values.length, cpu![i]!.length);
      const error = Math.max(...values.map((value, k) => Math.abs(value - cpu![i]![k]!)));
      assert.ok(error < 2e-5, `off by ${error}`);
    }
    if (part.mirrored) assert.notDeepEqual(gpu![0], gpu![1]);
    await (await openGpu()).assertHealthy("network input test");
  });
}

Deno.test("a buffer is refused by a network on the CPU, and one that is too short by any", async () => {
  const { device } = await openGpu();
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const cpu = await openSession(doublingModel(4), { on: "cpu" });
  await assert.rejects(cpu.run({ x: { buffer, dims: [1, 4] } }), /"x" is on the GPU, the network on the CPU/);
  await cpu.release();
  const gpu = await openSession(doublingModel(8), { on: "gpu" });
  await assert.rejects(gpu.run({ x: { buffer, dims: [1, 8] } }), /has 4 values for dims \[1,8\]/);
  await gpu.release();
  buffer.destroy();
});
