import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Pixels } from "../../face/pixels.ts";
import { type Lens, undistortPhotograph } from "../../face/undistort.ts";
import { undistort } from "../../face/undistort_cpu.ts";
import { maxDifference, randomStream } from "./head.ts";

const random = randomStream(13);
const tf = await openTfjs();

type Distortion = [number, number, number, number, number];

function lens(width: number, height: number, distortion: Distortion): Lens & { distortion: Distortion } {
  const f = 1.3 * Math.max(width, height);
  return { k: [[f, 0.4, width / 2 + 1.3], [0, 1.02 * f, height / 2 - 2.6], [0, 0, 1]], distortion };
}

/** Smooth, as a photograph is from pixel to pixel, with some noise. */
function picture(width: number, height: number): Float32Array {
  return Float32Array.from({ length: 3 * width * height }, (_, k) => {
    const [x, y] = [Math.floor(k / 3) % width, Math.floor(k / 3 / width)];
    return 0.5 + 0.3 * Math.sin(x / 9 + k % 3) * Math.cos(y / 7) + 0.1 * random();
  });
}

async function onDevice(image: Pixels, camera: Lens, bytesAtOnce?: number): Promise<Float32Array> {
  const all: number[] = [];
  for (const band of undistortPhotograph(tf, image, { camera, ...(bytesAtOnce && { bytesAtOnce }) })) {
    assert.deepEqual([band.shape[1], band.shape[2]], [image.width, 3]);
    all.push(...await band.data());
    band.dispose();
  }
  return Float32Array.from(all);
}

for (
  const { width, height, distortion } of [
    { width: 160, height: 121, distortion: [0.2, -0.05, 0.002, -0.001, 0.01] },
    { width: 121, height: 160, distortion: [-0.3, 0.1, 0, 0.003, 0] },
    { width: 1, height: 1, distortion: [0.1, 0, 0, 0, 0] },
    { width: 40, height: 30, distortion: [0, 0, 0, 0, 0] },
    // Far outside.
    { width: 64, height: 64, distortion: [1e4, 1e8, 0, 0, 1e12] },
  ] as { width: number; height: number; distortion: Distortion }[]
) {
  Deno.test(`undistortPhotograph() is undistort(): ${width}×${height}, ${distortion}`, async () => {
    const image = { width, height, data: picture(width, height) };
    const camera = lens(width, height, distortion);
    const found = await onDevice(image, camera);
    assert.ok(maxDifference(found, undistort(image, camera).data) < 2e-5);
    assert.deepEqual(await onDevice(image, camera), found);
    // A row of a band, two rows of the photograph at a time.
    assert.deepEqual(await onDevice(image, camera, 24 * width), found);

    const bytes = Uint8Array.from(image.data, (value) => 255 * value);
    const unit = Float32Array.from(bytes, (value) => value / 255);
    const fromBytes = await onDevice({ ...image, data: bytes }, camera);
    assert.ok(maxDifference(fromBytes, undistort({ ...image, data: unit }, camera).data) < 2e-5);
    assert.deepEqual(await onDevice({ ...image, data: bytes }, camera, 37 * width), fromBytes);
  });
}

Deno.test("undistortPhotograph() names what it cannot take", () => {
  const image = { width: 30, height: 20, data: picture(30, 20) };
  const camera = lens(30, 20, [0.1, 0, 0, 0, 0]);
  const none = { width: 0, height: 4, data: new Float32Array() };
  assert.throws(() => undistortPhotograph(tf, none, { camera }).next(), /0×4 pixels/);
  for (const k of [[[NaN]], []]) {
    assert.throws(() => undistortPhotograph(tf, image, { camera: { k, distortion: [] } }).next(), /no camera/);
  }
});
