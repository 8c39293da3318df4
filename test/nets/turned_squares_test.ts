import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { createImage, type RgbImage } from "../../face/image.ts";
import type { Square } from "../../nets/facemesh_tracking.ts";
import { cutSquare } from "../../nets/turned_squares_cpu.ts";
import { ALIGNED_SIZE, alignedSquare, alignFace } from "../../nets/five_points.ts";
import { cutTurnedSquares, type TurnedSquare } from "../../nets/turned_squares.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const random = randomStream(15);
const tf = await openTfjs();
/** Of the mesh network's input. */
const SIZE = 192;
/** Where the five points of an aligned face are. */
const PLACES = [38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041]
  .map((value) => value + 0.5);

function picture(width: number, height: number): RgbImage {
  return createImage(
    { width, height },
    Float32Array.from({ length: 3 * width * height }, (_, k) => {
      const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)];
      return 0.5 + 0.3 * Math.sin(x / 5 + k % 3) * Math.cos(y / 4) + 0.1 * random();
    }),
  );
}

async function onDevice(squares: TurnedSquare[], options: { side: number; bytesAtOnce?: number }) {
  const pictures = cutTurnedSquares(tf, squares, options);
  assert.deepEqual(pictures.shape, [squares.length, options.side, options.side, 3]);
  const data = await pictures.data() as Float32Array;
  pictures.dispose();
  return data;
}

const SQUARES: readonly [Square, number, number][] = [
  [{ x: 60.3, y: 41.2, side: 50, angle: 0.3 }, 120, 90],
  // Partly and wholly outside, and a photograph of one pixel.
  [{ x: 5, y: 80, side: 90, angle: -2 }, 91, 85],
  [{ x: -900, y: 1200, side: 20, angle: 1 }, 40, 30],
  [{ x: 0.5, y: 0.5, side: 7, angle: 0 }, 1, 1],
];

Deno.test("cutTurnedSquares() is cutSquare(), of floats and bytes, alone, in parts and again", async () => {
  const cases = SQUARES.map(([square, width, height]) => {
    const { x, y, side, angle } = square;
    const image = picture(width, height);
    const turn = { x, y, a: Math.cos(angle) * side / SIZE, b: Math.sin(angle) * side / SIZE, samples: 2 };
    return { square, image, turn };
  });
  const floats = cases.map(({ image, turn }) => ({ image, ...turn }));
  const found = await onDevice(floats, { side: SIZE });
  const one = 3 * SIZE * SIZE;
  for (const [i, { square, image }] of cases.entries()) {
    const difference = maxDifference(found.subarray(i * one, (i + 1) * one), cutSquare(image, square).data);
    assert.ok(difference < 1e-5, `square ${i}: ${difference}`);
  }
  assert.deepEqual(await onDevice(floats, { side: SIZE }), found);
  assert.deepEqual(await onDevice(floats.slice(1, 2), { side: SIZE }), found.slice(one, 2 * one));
  assert.deepEqual(await onDevice(floats, { side: SIZE, bytesAtOnce: 1 }), found);

  const [{ square, image, turn }] = cases as [typeof cases[number]];
  const data = Uint8Array.from(image.data, (value) => 255 * value);
  const unit = createImage(image, Float32Array.from(data, (value) => value / 255));
  const fromBytes = await onDevice([{ image: { ...image, data }, ...turn }], { side: SIZE });
  assert.ok(maxDifference(fromBytes, cutSquare(unit, square).data) < 1e-5);
});

Deno.test("cutTurnedSquares() is alignFace(), where the picture shrinks too", async () => {
  for (const scale of [0.6, 2.4]) {
    const image = picture(150, 170);
    const points = Float32Array.from(PLACES, (value, k) => scale * (value - 56) + 75 + 3 * Math.sin(k));
    const found = await onDevice([{ image, ...alignedSquare(points) }], { side: ALIGNED_SIZE });
    assert.ok(maxDifference(found, alignFace(image, points).data) < 1e-5, `scale ${scale}`);
  }
});

Deno.test("cutTurnedSquares() cuts 65 squares, and none, and names the one that it cannot", async () => {
  const image = picture(30, 30);
  const many = Array.from({ length: 65 }, (_, i) => ({ image, x: i, y: 15, a: 1, b: 0.01 * i, samples: 1 }));
  const found = await onDevice(many, { side: 8 });
  assert.deepEqual(await onDevice(many.slice(64), { side: 8 }), found.slice(-192));
  assert.equal((await onDevice([], { side: 8 })).length, 0);
  const [good] = many as [TurnedSquare];
  for (const bad of [{ x: NaN }, { a: Infinity }, { samples: 0 }, { image: { ...image, width: 0 } }]) {
    assert.throws(() => cutTurnedSquares(tf, [good, { ...good, ...bad }], { side: 8 }), /square 1/);
  }
  const large = { width: 1 << 20, height: 1 << 20, data: new Float32Array() };
  assert.throws(
    () => cutTurnedSquares(tf, [{ ...good, image: large, x: 5e5, y: 5e5, a: 1e5 }], { side: 8 }),
    /square 0.*reduce/,
  );
});
