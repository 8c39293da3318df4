import assert from "node:assert/strict";
import {
  chooseAlike,
  differenceOf,
  heightsOf,
  type PosedFrame,
  reachedBins,
} from "../../../../stages/data/parts/alike_frames.ts";
import { dome, posed } from "../../face_lab.ts";

const BINS = [[-90, -10], [-10, 10], [10, 90]] as const;
const OPTIONS = { bins: BINS, count: 12, difference: 0.02, ratio: 1.2, turn: 20, apart: 1000 };

/** A frame each second; `open` is how far the lower half of the face hangs. */
function frame(second: number, yaw: number, { open = 0, width = 100 } = {}): PosedFrame {
  const heights = Float32Array.from({ length: 40 }, (_, i) => i / 40 - (i < 20 ? open : 0));
  return { key: `${second}`, time: 1000 * second, yaw, width, heights };
}

const times = (frames: readonly PosedFrame[], changed: Partial<typeof OPTIONS> = {}) =>
  chooseAlike(frames, { ...OPTIONS, ...changed }).map((triplet) => triplet.map(({ time }) => time / 1000));

Deno.test("heights of points change with the expression, and not with turn, size and place of the head", () => {
  const upright = posed(0);
  const turned = heightsOf(posed(35), upright);
  const moved = heightsOf(posed(-20).map((value) => 0.7 * value + 9), upright);
  const own = heightsOf(upright, upright);
  assert.ok(Math.abs(Math.max(...own) - Math.min(...own) - 1) < 1e-5, "parts of the face's height");
  for (const heights of [turned, moved]) assert.ok(differenceOf(heights, own) < 1e-4);
  // the chin falls by a tenth of the face
  const opened = dome().map((value, i, all) => i % 3 === 1 && value < -0.8 ? value - 0.32 * (-value - 0.8) : all[i]!);
  const falls = differenceOf(heightsOf(posed(-35, opened), upright), own);
  assert.ok(falls > 0.015 && falls < 0.1, `${falls}`);
});

Deno.test("the difference of two faces is what 19 vertices in 20 stay within", () => {
  const still = new Float32Array(100);
  const moving = (count: number) => still.map((_, i) => i < count ? (i % 2 === 0 ? 0.5 : -0.5) : 0.01);
  assert.equal(differenceOf(still, moving(5)), Math.fround(0.01));
  assert.equal(differenceOf(still, moving(6)), 0.5);
});

Deno.test("frames that are turned the farthest come first, with the frontal frame that is most like both", () => {
  const frames = [frame(0, -12), frame(1, 2, { open: 0.01 }), frame(2, -30), frame(3, -4), frame(4, 15), frame(6, 25)];
  assert.deepEqual(times(frames), [[0, 1, 4], [2, 3, 6]]);
  assert.deepEqual(times(frames, { count: 1 }), [[2, 3, 6]]);
  assert.deepEqual(times(frames, { turn: 28 }), [[2, 3, 6]]);
});

Deno.test("no two frames of a triplet differ in expression or size, and none is used twice or soon again", () => {
  const triplet = [frame(0, -20), frame(2, 0), frame(4, 20)];
  assert.deepEqual(times(triplet), [[0, 2, 4]]);
  for (const i of [0, 1, 2]) {
    const { key, yaw } = triplet[i]!;
    assert.deepEqual(times(triplet.with(i, frame(Number(key), yaw, { open: 0.03 }))), [], "another expression");
    assert.deepEqual(times(triplet.with(i, frame(Number(key), yaw, { width: 125 }))), [], "nearer to the camera");
  }
  const soon = { ...frame(0.5, -19), heights: triplet[0]!.heights };
  assert.deepEqual(times([...triplet, soon, frame(7, 1), frame(9, 19)]), [[0, 2, 4]]);
  assert.deepEqual(times([...triplet, soon, frame(7, 1), frame(9, 19)], { apart: 500 }), [[0, 2, 4], [0.5, 7, 9]]);
});

Deno.test("where a video does not reach a bin, the bin begins where the video ends", () => {
  const yaws = [-30, -14, -6, -3, 0, 1, 2, 4, 7];
  assert.deepEqual(reachedBins(yaws, { bins: BINS, count: 1 }), [[-90, -10], [-10, 10], [4, 90]]);
  assert.deepEqual(reachedBins(yaws, { bins: BINS, count: 2 }), [[-90, -3], [-10, 10], [1, 90]]);
  assert.deepEqual(reachedBins([0], { bins: BINS, count: 3 }), BINS);
});
