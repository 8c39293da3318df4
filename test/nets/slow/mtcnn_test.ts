import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { areaBoxes, uploadPhotograph } from "../../../nets/area_boxes.ts";
import { areaBoxCpu } from "../../../nets/area_boxes_cpu.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { openMtcnn } from "../../../nets/mtcnn.ts";
import { corrected, pixelsIn, pyramidScales, squareOf, withoutOverlaps } from "../../../nets/mtcnn_boxes.ts";
import { decodePixels } from "../../../stages/faces/photograph.ts";
import { asset } from "../../assets.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { numbers } from "../../golden/drawn.ts";
import golden from "../../golden/mtcnn.json" with { type: "json" };
import { noise } from "../inputs.ts";

/** The longest side of the golden photographs: as they are they take minutes on a software adapter. */
const SIDE = 640;

const tf = await openTfjs();
const source = async (name: string) => bytesSource(await asset(`mtcnn/${name}`), name);
const files = { first: await source("pnet.pt"), second: await source("rnet.pt"), third: await source("onet.pt") };

Deno.test("MTCNN finds the faces of facenet-pytorch within half a pixel, and leaks nothing", async () => {
  const before = tf.memory().numTensors;
  const mtcnn = await openMtcnn(files);
  let faces = 0;
  for (const [id, expected] of Object.entries(golden)) {
    const found = await mtcnn.detect((await decodePixels(await asset(id), { path: id, maxSide: SIDE })).image);
    assert.equal(found.length, expected.length, `${id}: ${found.length} faces`);
    for (const [i, face] of expected.entries()) {
      const [own, other, five] = [[...found[i]!.box], numbers(face.box), numbers(face.points)];
      assert.ok(Math.max(...own.map((side, k) => Math.abs(side - other[k]!))) < 0.5, `${id}: ${own} beside ${other}`);
      const points = found[i]!.points.flatMap(({ x, y }) => [x, y]);
      assert.ok(Math.max(...points.map((at, k) => Math.abs(at - five[k]!))) < 0.5, `${id}: points of face ${i}`);
      assert.ok(Math.abs(found[i]!.score - face.score) < 1e-3, `${id}: score of face ${i}`);
      faces++;
    }
  }
  assert.ok(faces >= 20, `${faces} faces`);
  mtcnn.dispose();
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("MTCNN");
});

Deno.test("MTCNN finds nothing in noise, in floats as in bytes, and in a picture that is too small", async () => {
  const mtcnn = await openMtcnn(files);
  const image = noise({ width: 61, height: 47, seed: 3 });
  const bytes = { ...image, data: Uint8Array.from(image.data, (value) => Math.round(255 * value)) };
  for (const one of [image, bytes, noise({ width: 15, height: 40, seed: 1 })]) {
    assert.deepEqual(await mtcnn.detect(one), []);
  }
  await assert.rejects(mtcnn.detect(image, { least: 11 }), /faces of 12 pixels and more, not of 11/);
  mtcnn.dispose();
});

Deno.test("MTCNN refuses a file in another's place", async () => {
  await assert.rejects(
    openMtcnn({ ...files, second: files.third }),
    /Cannot read onet\.pt: "prelu1\.weight" must be \[28\], and it is \[32\]/,
  );
});

Deno.test("parts are shrunk by means over whole pixels, from odd sizes and to larger ones", async () => {
  const image = noise({ width: 37, height: 29, seed: 5 });
  const bytes = { ...image, data: Uint8Array.from(image.data, (value) => Math.round(255 * value)) };
  const boxes = [
    { left: 0, top: 0, width: 37, height: 29 },
    { left: 3, top: 5, width: 25, height: 7 },
    { left: 36, top: 28, width: 1, height: 1 },
  ];
  for (const one of [image, bytes]) {
    const photograph = uploadPhotograph(tf, one);
    const shrunk = areaBoxes(tf, photograph, { boxes, width: 12, height: 10 });
    const found = await shrunk.data<"float32">();
    for (const [i, box] of boxes.entries()) {
      const expected = areaBoxCpu(one, box, { width: 12, height: 10 }).data;
      assert.ok(relativeError(found.slice(360 * i, 360 * (i + 1)), expected) < 1e-5, `box ${i}`);
    }
    tf.dispose([photograph.pixels, shrunk]);
  }
});

Deno.test("boxes are scaled, squared, corrected, cut and thinned out as published", () => {
  assert.deepEqual(pyramidScales({ width: 100, height: 40 }, { least: 20, factor: 0.709 }).length, 3);
  assert.deepEqual(pyramidScales({ width: 100, height: 19 }, { least: 20, factor: 0.709 }), []);
  assert.deepEqual(squareOf([10, 20, 30, 60]), [0, 20, 40, 60]);
  const candidate = { box: [10, 20, 29, 39], score: 1, correction: [0.1, 0, -0.1, 0.2] } as const;
  assert.deepEqual(corrected(candidate, { inclusive: true }), [12, 20, 27, 43]);
  assert.deepEqual(pixelsIn([-3.5, 5.9, 20.9, 9.2], { width: 18, height: 50 }), {
    left: 0,
    top: 4,
    width: 18,
    height: 5,
  });
  assert.equal(pixelsIn([30, 5, 40, 9], { width: 18, height: 50 }), null);
  const some = [[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [2, 2, 5, 5]].map((box, i) => {
    return { box: box as unknown as typeof candidate.box, score: [0.8, 0.9, 0.7, 0.6][i]! };
  });
  assert.deepEqual(withoutOverlaps(some, { most: 0.5 }).map(({ score }) => score), [0.9, 0.7, 0.6]);
  assert.deepEqual(withoutOverlaps(some, { most: 0.5, of: "smaller" }).map(({ score }) => score), [0.9, 0.7]);
});
