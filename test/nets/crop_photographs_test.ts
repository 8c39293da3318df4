import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Pixels } from "../../face/pixels.ts";
import { cropPhotographs, type CropPhotographsOptions } from "../../nets/crop_photographs.ts";
import type { PhotographBox } from "../../nets/crop_tiles.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { maxDifference, randomStream } from "../face/head.ts";

const random = randomStream(12);
const tf = await openTfjs();

function floats(width: number, height: number): Pixels {
  return { width, height, data: Float32Array.from({ length: 3 * width * height }, random) };
}

function bytes(width: number, height: number): Pixels {
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, () => 256 * random()) };
}

/** The reference's crop. */
function expected({ image, box }: PhotographBox, { bytesAtOnce: _, ...options }: CropPhotographsOptions) {
  const { data } = image;
  const unit = data instanceof Float32Array ? data : Float32Array.from(data, (value) => value / 255);
  return resampleCpu({ ...image, data: unit }, { ...options, ...(box === undefined ? {} : { box }) }).data;
}

async function onDevice(boxes: PhotographBox[], options: CropPhotographsOptions): Promise<Float32Array> {
  const crops = cropPhotographs(tf, boxes, options);
  assert.deepEqual(crops.shape, [boxes.length, options.height, options.width, 3]);
  const data = await crops.data() as Float32Array;
  crops.dispose();
  return data;
}

const boxes: readonly PhotographBox[] = [
  { image: bytes(97, 61), box: { left: 3.25, top: 5.5, width: 41.3, height: 41.3 } },
  { image: bytes(30, 80) },
  { image: floats(50, 41), box: { left: -20, top: 10.1, width: 60, height: 45 } },
  { image: floats(33, 47), box: { left: 4, top: 4, width: 3, height: 2 } },
  // Wholly outside, and a photograph of one pixel.
  { image: bytes(20, 20), box: { left: 500, top: -500, width: 30, height: 30 } },
  { image: bytes(1, 1), box: { left: -1, top: -1, width: 3, height: 3 } },
  { image: floats(300, 200) },
];

for (const border of ["edge", "zero"] as const) {
  for (const [width, height] of [[24, 24], [7, 19]] as const) {
    Deno.test(`cropPhotographs() is resampleCpu(): to ${width}×${height}, border ${border}`, async () => {
      const options = { width, height, border };
      const found = await onDevice([...boxes], options);
      const one = 3 * width * height;
      boxes.forEach((box, i) => {
        const difference = maxDifference(found.subarray(i * one, (i + 1) * one), expected(box, options));
        assert.ok(difference < 1e-6, `box ${i}: ${difference}`);
      });
      assert.deepEqual(await onDevice([...boxes], options), found, "the same bits in another run");
      assert.deepEqual(await onDevice([boxes[2]!], options), found.slice(2 * one, 3 * one), "and alone");
      // The largest photograph in tiles of some rows.
      assert.deepEqual(await onDevice([...boxes], { ...options, bytesAtOnce: 200_000 }), found, "and in tiles");
    });
  }
}

Deno.test("cropPhotographs() cuts 65 faces out of one photograph, and none", async () => {
  const image = bytes(64, 64);
  const many = Array.from({ length: 65 }, (_, i) => ({ image, box: { left: i - 10, top: 20, width: 16, height: 16 } }));
  const options = { width: 8, height: 8, border: "zero" } as const;
  const found = await onDevice(many, options);
  many.forEach((box, i) =>
    assert.ok(maxDifference(found.subarray(192 * i, 192 * (i + 1)), expected(box, options)) < 1e-6, `box ${i}`)
  );
  assert.equal((await onDevice([], options)).length, 0);
});

Deno.test("cropPhotographs() names the box that it cannot cut", () => {
  const good = { image: bytes(20, 20) };
  const options = { width: 8, height: 8 };
  for (
    const box of [
      { left: 0, top: 0, width: 0, height: 5 },
      { left: NaN, top: 0, width: 5, height: 5 },
      { left: 0, top: 0, width: 5, height: Infinity },
    ]
  ) {
    assert.throws(() => cropPhotographs(tf, [good, { ...good, box }], options), /box 1/);
  }
  const none = { width: 0, height: 9, data: new Uint8Array() };
  assert.throws(() => cropPhotographs(tf, [{ image: none }], options), /box 0/);
  assert.throws(() => cropPhotographs(tf, [good, good], { ...options, bytesAtOnce: 100 }), /box 0.*reduce/);
});
