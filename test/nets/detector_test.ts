import assert from "node:assert/strict";
import { decodeBoxes, letterbox, openDetector, overlap, pyramid, suppress } from "../../nets/detector.ts";
import { createImage, type RgbImage } from "../../face/image.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { asset } from "../assets.ts";
import { noise, photograph } from "./inputs.ts";

Deno.test("letterbox() is the smallest box of the proportions around the same centre", () => {
  assert.deepEqual(letterbox({ left: 0, top: 0, width: 400, height: 100 }, 4 / 3), {
    left: 0,
    top: -100,
    width: 400,
    height: 300,
  });
  assert.deepEqual(letterbox({ left: 10, top: 10, width: 30, height: 60 }, 4 / 3), {
    left: -15,
    top: 10,
    width: 80,
    height: 60,
  });
});

Deno.test("pyramid() covers the picture at every level, windows overlapping by half", () => {
  assert.deepEqual(pyramid({ width: 8, height: 4 }, 1), [{ left: 0, top: 0, width: 8, height: 4 }]);
  const windows = pyramid({ width: 8, height: 4 }, 2);
  assert.equal(windows.length, 1 + 9);
  assert.deepEqual(windows.slice(1, 4), [0, 2, 4].map((left) => ({ left, top: 0, width: 4, height: 2 })));
  assert.deepEqual(windows.at(-1), { left: 4, top: 2, width: 4, height: 2 });
});

Deno.test("decodeBoxes() brings boxes of the window to the picture and drops weak, empty and undefined ones", () => {
  const scores = Float32Array.of(0.1, 0.9, 0.5, 0.5, 0.1, 0.9, 0, NaN);
  const boxes = Float32Array.of(0.25, 0.5, 0.75, 1, 0, 0, 1, 1, 0.5, 0, 0.5, 1, 0, 0, 1, 1);
  const [box, ...others] = decodeBoxes({ scores, boxes }, {
    box: { left: -10, top: 20, width: 100, height: 40 },
    minScore: 0.75,
  });
  assert.deepEqual({ ...box, score: 0 }, { left: 15, top: 40, width: 50, height: 20, score: 0 });
  assert.deepEqual(others, []);
});

Deno.test("overlap() is intersection over union; suppress() keeps the best of those that overlap", () => {
  const at = (left: number, score: number) => ({ left, top: 0, width: 10, height: 10, score });
  assert.equal(overlap(at(0, 1), at(0, 1)), 1);
  assert.equal(overlap(at(0, 1), at(5, 1)), 1 / 3);
  assert.equal(overlap(at(0, 1), at(10, 1)), 0);
  const [a, b, c, d] = [at(0, 0.8), at(4, 0.9), at(8, 0.7), at(30, 0.95)];
  assert.deepEqual(suppress([a, b, c, d], 0.3), [d, b]);
  assert.deepEqual(suppress([a, c, d], 0.3), [d, a, c]);
  const part = { left: 1, top: 1, width: 3, height: 3, score: 0.6 };
  assert.deepEqual(suppress([part, a], 0.3), [a]);
  assert.deepEqual(suppress([], 0.3), []);
});

Deno.test("detect() finds the 22 faces of the test photographs and nothing else", async () => {
  const detector = await openDetector(await asset("models/fr_detect.onnx"));
  const counts: number[] = [];
  for (let i = 1; i <= 6; i++) {
    const image = await photograph(`test/sample${i}.jpg`);
    const faces = await detector.detect(image);
    counts.push(faces.length);
    assert.deepEqual(faces.map((face) => face.score), faces.map((face) => face.score).toSorted((a, b) => b - a));
    for (const { left, top, width, height } of faces) {
      assert.ok(left > 0 && top > -50 && left + width < image.width && top + height < image.height);
      assert.ok(width > 140 && width < 260 && height > 190 && height < 330, `${width}×${height}`);
    }
  }
  assert.deepEqual(counts, [3, 3, 3, 4, 5, 4]);

  // The picture's place in the frame does not matter, and a face that fills it is found; noise and grey have none.
  const [face] = await detector.detect(await photograph("train/obama/obama4_crop.jpg"));
  assert.ok(face && face.width > 200 && face.height > 250);
  assert.deepEqual(await detector.detect(noise({ width: 90, height: 200, seed: 1 })), []);
  // A small face in a large picture needs a further level, and windows give no fragments of the large one.
  const wide = createImage({ width: 3200, height: 2400 });
  const large = await photograph("test/sample1.jpg");
  paste(wide, large, { left: 0, top: 0 });
  paste(wide, resampleCpu(large, { width: 540, height: 360 }), { left: 2200, top: 1600 });
  assert.equal((await detector.detect(wide)).length, 3);
  assert.equal((await detector.detect(wide, { levels: 2 })).length, 6);
  const grey = { width: 64, height: 64, data: new Float32Array(64 * 64 * 3).fill(0.5) };
  assert.deepEqual(await detector.detect(grey), []);
  await detector.dispose();
});

function paste(into: RgbImage, image: RgbImage, { left, top }: { left: number; top: number }): void {
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(3 * y * image.width, 3 * (y + 1) * image.width);
    into.data.set(row, 3 * ((top + y) * into.width + left));
  }
}
