import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { openLpips } from "../../nets/lpips.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { goldenPair } from "../golden/images.ts";
import golden from "../golden/lpips.json" with { type: "json" };
import trained from "../golden/lpips_trained.json" with { type: "json" };
import { openTensors } from "../../nets/files/open_tensors.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { asset } from "../assets.ts";
import { drawnLpips } from "./lpips_weights.ts";

const weights = drawnLpips();
const file = encodeSafetensors(weights);

Deno.test("LPIPS gives the definition's distances, of whole pictures and of their masked part", async () => {
  const tf = await openTfjs();
  const before = tf.memory().numTensors;
  const network = await openLpips(file);
  for (const expected of golden) {
    const { a, b, mask } = goldenPair(expected);
    const found = await network.distances([b, a].map((picture) => ({ picture, target: a, masks: [null, mask] })));
    const near = (value: number, wanted: number) => assert.ok(Math.abs(value - wanted) < 1e-5, `${value}, ${wanted}`);
    near(found[0]![0]!, expected.whole);
    near(found[0]![1]!, expected.masked);
    assert.deepEqual(found[1], [0, 0], "a picture is no way from itself");
  }
  network.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("lpips test");
});

Deno.test("the packaged network is read from its pickle as Python reads it, to the bit", async () => {
  const file = await openTensors(bytesSource(await asset("lpips/alexnet.ckpt")));
  assert.equal(file.skipped.size, 0);
  assert.deepEqual([...file.tensors.keys()].sort(), Object.keys(trained.tensors));
  for (const [name, { shape, some, sum }] of Object.entries(trained.tensors)) {
    assert.deepEqual(file.tensors.get(name)!.shape, shape, name);
    const values = Array.from(await file.read(name), Number);
    assert.deepEqual(some.map((_, i) => values[Math.floor(i * (values.length - 1) / 9)]), some, name);
    const total = values.reduce((sum, value) => sum + value, 0);
    assert.ok(Math.abs(total - sum) < 1e-9 * values.length, `${name}: ${total}, ${sum}`);
  }
});

Deno.test("the packaged network gives the definition's distances", async () => {
  const network = await openLpips(await asset("lpips/alexnet.ckpt"));
  for (const { whole, masked, ...size } of trained.distances) {
    const { a, b, mask } = goldenPair(size);
    const [[first, second]] = await network.distances([{ picture: b, target: a, masks: [null, mask] }]) as [number[]];
    assert.ok(Math.abs(first! - whole) < 1e-5 && Math.abs(second! - masked) < 1e-5, `${first}, ${second}`);
  }
  network.dispose();
});

Deno.test("LPIPS over a mask sees what differs inside and not what differs far outside", async () => {
  const network = await openLpips(file);
  const { a } = goldenPair({ width: 224, height: 224, amplitude: 9 });
  const inside = (x0: number, y0: number) =>
    Float32Array.from({ length: 224 * 224 }, (_, i) => {
      const [x, y] = [i % 224 - x0, Math.floor(i / 224) - y0];
      return x >= 0 && x < 16 && y >= 0 && y < 16 ? 1 : 0;
    });
  const [near, far] = [inside(0, 0), inside(208, 208)];
  const changed = { ...a, data: a.data.map((value, i) => near[Math.floor(i / 3)] === 1 ? 1 - value : value) };
  const [distances] = await network.distances([{ picture: changed, target: a, masks: [near, far, null] }]);
  const [here, elsewhere, whole] = distances as [number, number, number];
  assert.ok(here > 10 * whole, `${here}, ${whole}`);
  assert.ok(elsewhere < whole / 100, `${elsewhere}, ${whole}`);
  network.dispose();
});

Deno.test("LPIPS of a pair has the same bits alone and among pairs of other sizes, targets and masks", async () => {
  const network = await openLpips(file);
  const pairs = Array.from({ length: 11 }, (_, i) => {
    const { a, b, mask } = goldenPair({ width: i % 3 === 0 ? 224 : 64, height: 66, amplitude: 5 + i });
    return { picture: i % 2 === 0 ? a : b, target: b, masks: [[mask, null], [null], [mask, mask], []][i % 4]! };
  });
  const together = await network.distances(pairs);
  assert.deepEqual(await Promise.all(pairs.map(async (pair) => (await network.distances([pair]))[0])), together);
  assert.deepEqual(together.map((row) => row.length), pairs.map(({ masks }) => masks.length));
  network.dispose();
});

Deno.test("LPIPS names what is wrong with weights and pictures, and has no value where a mask is empty", async () => {
  const { "NetLinLayer_2.Conv_0.kernel": _, ...without } = weights;
  await assert.rejects(
    openLpips(encodeSafetensors(without)),
    /Cannot read LPIPS's network: this safetensors.* has no tensor "NetLinLayer_2\.Conv_0\.kernel"/,
  );
  const network = await openLpips(file);
  const { a: small } = goldenPair({ width: 63, height: 80, amplitude: 9 });
  await assert.rejects(
    network.distances([{ picture: small, target: small, masks: [null] }]),
    /at least 64×64, not 63×80/,
  );
  const { a } = goldenPair({ width: 64, height: 80, amplitude: 9 });
  const { a: wide } = goldenPair({ width: 80, height: 64, amplitude: 9 });
  await assert.rejects(network.distances([{ picture: wide, target: a, masks: [null] }]), /not 80×64 and 64×80/);
  const nowhere = new Float32Array(64 * 80);
  const short = network.distances([{ picture: a, target: a, masks: [nowhere.subarray(1)] }]);
  await assert.rejects(short, /64×80 pixels cannot take a mask of 5119/);
  assert.deepEqual(await network.distances([{ picture: a, target: a, masks: [nowhere, null] }]), [[null, 0]]);
  assert.deepEqual(await network.distances([]), []);
  network.dispose();
});
