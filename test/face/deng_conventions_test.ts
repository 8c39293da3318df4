/** What Deng et al. mean by their numbers, each beside a value of their own functions (test/golden/deng.py). */
import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { FaceCropError } from "../../face/crop.ts";
import { dengCrop } from "../../face/deng_crop.ts";
import { type DengParameters, uploadBfm } from "../../face/deng_face.ts";
import { readStandardPoints } from "../../nets/bfm_front_file.ts";
import { cubicCrops } from "../../nets/cubic_crop.ts";
import { splitDengCode } from "../../nets/deng_encoder.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { relativeError } from "../gpu/arrays.ts";
import { numbers } from "../golden/drawn.ts";
import { drawnBfm, spread } from "../golden/deng_drawn.ts";
import golden from "../golden/deng.json" with { type: "json" };
import { goldenPair } from "../golden/images.ts";
import { goldenBytes } from "../nets/files/golden.ts";

const tf = await openTfjs();
const photograph = { width: 480, height: 360 };
const { a: picture } = goldenPair({ ...photograph, amplitude: 1 });
const bytes = { ...picture, data: Uint8Array.from(picture.data, (value) => Math.round(255 * value)) };
const standard = numbers(golden.points);
const crops = golden.crops.map(({ points }) =>
  dengCrop(points.map(([x, y]) => ({ x: x!, y: y! })), { standard, photograph })
);

/** The drawn codes of both faces, taken apart. */
function drawnCodes(): DengParameters {
  const parts = [["code", 224, 2], ["angles", 3, 1.2], ["light", 27, 0.8], ["translation", 3, 0.8]] as const;
  return splitDengCode(
    tf,
    tf.concat(
      parts.map(([name, length, scale]) => tf.tensor2d(spread(`deng ${name}`, 2 * length, scale), [2, length])),
      1,
    ),
  );
}

Deno.test("geometry, camera and colours are the authors'", async () => {
  const bfm = uploadBfm(tf, drawnBfm());
  const codes = drawnCodes();
  const { vertices, colours } = bfm.faces(codes);
  const [found, shown] = [await vertices.data<"float32">(), await colours.data<"float32">()];
  for (const face of [0, 1]) {
    const [camera, projected] = [numbers(golden.faces.vertices[face]!), numbers(golden.faces.projected[face]!)];
    const one = camera.length;
    // theirs has y up from the picture's lower edge
    const expected = camera.map((_, i) => {
      const vertex = Math.floor(i / 3);
      if (i % 3 === 2) return 1015 * (1 - 10 / camera[i]!);
      return i % 3 === 0 ? projected[2 * vertex]! : 224 - projected[2 * vertex + 1]!;
    });
    const own = found.subarray(one * face, one * (face + 1));
    own.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 2e-3, `${value} beside ${expected[i]}`));
    assert.ok(relativeError(own, expected) < 1e-4);
    const lit = shown.subarray(one * face, one * (face + 1));
    assert.ok(relativeError(lit, numbers(golden.faces.colours[face]!)) < 1e-4);
  }
  const { identity, expression, albedo, angles, light, translation } = codes;
  const second = <T extends typeof identity | typeof light>(all: T) => tf.slice(all, [1], [1]) as T;
  const alone = bfm.faces({
    identity: second(identity),
    expression: second(expression),
    albedo: second(albedo),
    angles: second(angles),
    light: second(light),
    translation: second(translation),
  });
  assert.deepEqual(await alone.vertices.data(), found.slice(found.length / 2), "a face alone");
  assert.deepEqual(await alone.colours.data(), shown.slice(shown.length / 2), "and its colours");
  assert.throws(() => bfm.faces({ ...codes, albedo: codes.expression }), /takes \[2, 80\] components, not \[2,64\]/);
  bfm.dispose();
});

Deno.test("the standard face's five points are the authors'", async () => {
  const points = await readStandardPoints(bytesSource(goldenBytes("standard_face.mat"), "similarity_Lm3D_all.mat"));
  assert.ok(relativeError(Float32Array.from(points), numbers(golden.standard)) < 1e-6);
  await assert.rejects(readStandardPoints(bytesSource(goldenBytes("model.mat"), "x.mat")), /"lm" is absent/);
});

Deno.test("the crop lies where the authors put it, and holds their values", async () => {
  for (const [i, { resized }] of crops.entries()) {
    const { scale } = golden.crops[i]!;
    assert.deepEqual(resized, { width: Math.trunc(480 * scale), height: Math.trunc(360 * scale) });
  }
  for (const image of [bytes, picture]) {
    const device = cubicCrops(tf, crops.map((crop) => ({ image, crop })), { size: 224 });
    const values = (await device.data<"float32">()).map((value) => Math.round(255 * value));
    device.dispose();
    const one = 3 * 224 * 224;
    for (const [i, { every, values: expected, sum }] of golden.crops.entries()) {
      const own = values.subarray(one * i, one * (i + 1));
      const off = numbers(expected).map((value, k) => Math.abs(value - own[every * k]!));
      // Pillow's weights are whole numbers: a half may be rounded the other way. `picture` was never rounded.
      const most = image === bytes ? 1 : 2;
      assert.ok(Math.max(...off) <= most, `crop ${i}: ${Math.max(...off)}`);
      if (image === bytes) assert.ok(off.filter((value) => value > 0).length < 0.01 * off.length, `crop ${i}`);
      const total = own.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(total - sum) < 1e-3 * one, `crop ${i}: in all ${total} beside ${sum}`);
    }
  }
  assert.throws(() => cubicCrops(tf, [], { size: 224 }), /no photograph/);
});

Deno.test("the rectangle that a crop shows is the rectangle of its pixels", () => {
  for (const { resized, left, top, part } of crops) {
    // an edge of a pixel of the resized photograph, in the photograph
    assert.ok(Math.abs(part.left - left * 480 / resized.width) < 1e-9);
    assert.ok(Math.abs(part.top + part.height - (top + 224) * 360 / resized.height) < 1e-9);
  }
});

Deno.test("dengCrop() refuses points that are no face", () => {
  const same = Array.from({ length: 5 }, () => ({ x: 3, y: 4 }));
  const nowhere = same.map(() => ({ x: NaN, y: 0 }));
  for (const points of [same, nowhere]) {
    assert.throws(() => dengCrop(points, { standard, photograph }), FaceCropError);
  }
  // a fault of the caller's and not of the face
  assert.throws(
    () => dengCrop(same.slice(1), { standard, photograph }),
    (error) =>
      error instanceof RangeError && !(error instanceof FaceCropError) && /4 points with 5/.test(error.message),
  );
});
