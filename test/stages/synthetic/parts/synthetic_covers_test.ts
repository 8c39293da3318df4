import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { createImage } from "../../../../face/image.ts";
import { uniform } from "../../../../nets/random.ts";
import {
  coverAlbedos,
  type CoverPlan,
  coverShares,
  planCover,
} from "../../../../stages/synthetic/parts/synthetic_covers.ts";
import { planCaptures } from "../../../../stages/synthetic/parts/synthetic_plan.ts";
import { maxDifference } from "../../../face/head.ts";

const tf = await openTfjs();
const SIZE = 65;
const random = uniform(3);
const plans = Array.from({ length: 40 }, () => planCover(random));

/** `coverShares` in plain loops. */
function sharesCpu({ at, radii, angle, phases }: CoverPlan): Float32Array {
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [x, y] = [(i % SIZE + 0.5) / SIZE - at[0], (Math.floor(i / SIZE) + 0.5) / SIZE - at[1]];
    const across = (x * Math.cos(angle) + y * Math.sin(angle)) / radii[0];
    const along = (y * Math.cos(angle) - x * Math.sin(angle)) / radii[1];
    const around = Math.atan2(along, across);
    const outline = 1 + 0.12 * Math.sin(2 * around + phases[0]) + 0.09 * Math.sin(5 * around + phases[1]) +
      0.05 * Math.sin(11 * around + phases[2]);
    return Math.min(1, Math.max(0, (outline - Math.hypot(across, along)) / 0.12));
  });
}

Deno.test("a cover's shares are those of plain loops", async () => {
  for (const plan of plans.slice(0, 6)) {
    const shares = coverShares(tf, plan, SIZE);
    assert(maxDifference(await shares.data() as Float32Array, sharesCpu(plan)) < 1e-3);
    shares.dispose();
  }
});

Deno.test("a cover lies on one side of the face and leaves most of it free", () => {
  for (const plan of plans) {
    const shares = sharesCpu(plan);
    const [left, right] = [0, 1].map((side) =>
      shares.reduce((sum, share, i) => (i % SIZE < SIZE / 2 ? 0 : 1) === side ? sum + share : sum, 0)
    ) as [number, number];
    assert(Math.max(left, right) > 3 * Math.min(left, right), `${left} and ${right} of ${JSON.stringify(plan)}`);
    assert(left + right > 0.01 * SIZE ** 2 && left + right < 0.3 * SIZE ** 2);
  }
  assert(plans.some(({ at }) => at[0] < 0.5) && plans.some(({ at }) => at[0] > 0.5));
});

Deno.test("a cover has the colours of hair or of a cheek, and the rest stays to the bit", async () => {
  // Above its middle the photograph is red, below it is blue.
  const photograph = createImage({ width: 40, height: 60 });
  for (let i = 0; i < 40 * 60; i++) photograph.data.set(i < 40 * 20 ? [1, 0, 0] : [0, 0, 1], 3 * i);
  const source = { photograph, vertices: Float32Array.of(8, 22, 0, 32, 58, 0) };
  const values = Float32Array.from({ length: 3 * 3 * SIZE ** 2 }, (_, i) => (i % 7) / 7);
  const before = tf.memory().numTensors;
  const bare = tf.tensor4d(values, [3, SIZE, SIZE, 3]);
  const hair = plans.find(({ kind }) => kind === "hair")!;
  const hand = plans.find(({ kind }) => kind === "hand")!;
  const covered = coverAlbedos(tf, bare, [{ plan: hair, source }, null, { plan: hand, source }]);
  const result = await covered.data() as Float32Array;
  tf.dispose([bare, covered]);
  assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
  const length = 3 * SIZE ** 2;
  assert.deepEqual(result.subarray(length, 2 * length), values.subarray(length, 2 * length));
  for (const [map, plan, colour] of [[0, hair, [1, 0, 0]], [2, hand, [0, 0, 1]]] as const) {
    const shares = sharesCpu(plan);
    for (let i = 0; i < SIZE ** 2; i++) {
      const own = [...result.subarray(map * length + 3 * i, map * length + 3 * i + 3)];
      const free = [...values.subarray(map * length + 3 * i, map * length + 3 * i + 3)];
      if (shares[i] === 0) assert.deepEqual(own, free);
      if (shares[i] === 1) assert(own.every((value, c) => Math.abs(value - colour[c]!) < 1e-3), `${own}`);
    }
  }
});

const options = {
  persons: ["a", "b", "c"],
  identities: 30,
  expressions: 2,
  identityComponents: 2,
  expressionComponents: 2,
  decoys: 0,
  seed: 5,
};

Deno.test("shares of covered and side-lit captures change nothing else of the plan", () => {
  const plain = planCaptures(options);
  const hard = planCaptures({ ...options, covered: 0.5, sideLit: 0.4 });
  assert.deepEqual(hard.map((plan, i) => ({ ...plan, light: plain[i]!.light, cover: null })), plain);
  const covered = hard.filter(({ cover }) => cover !== null).length;
  const lit = hard.filter(({ light }, i) => light.some((value, k) => value !== plain[i]!.light[k])).length;
  assert(covered > 20 && covered < 40, `${covered} of 60 are covered`);
  assert(lit > 14 && lit < 34, `${lit} of 60 are lit from one side`);
  assert.deepEqual(planCaptures({ ...options, covered: 1 }).filter(({ cover }) => cover === null), []);
});

Deno.test("a lamp at one side leaves the other side in shade", () => {
  for (const { light } of planCaptures({ ...options, sideLit: 1 })) {
    // Ambient and the share of the lamp that comes from a side, of the first channel, in units of shading.
    const [ambient, side] = [0.2820948 * light[0]!, 1.0233 * light[3]!];
    const [bright, dark] = [ambient + Math.abs(side), ambient - Math.abs(side)];
    assert(dark > 0 && bright > 1.8 * dark, `${bright} against ${dark}`);
  }
});
