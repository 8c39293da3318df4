import assert from "node:assert/strict";
import sharp from "sharp";
import { createImage, type RgbImage } from "../../../face/image.ts";
import {
  decodePhotograph,
  encodeGreyPng,
  encodeJpeg,
  encodePng,
  PhotographError,
} from "../../../stages/faces/photograph.ts";

const [width, height] = [64, 48];

/** A picture of one colour, or one whose colours tell where they are. */
function picture(colour?: readonly [number, number, number]) {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    data.set(colour ?? [4 * (i % width), 5 * Math.floor(i / width), 128], 3 * i);
  }
  return { data, sharp: () => sharp(data, { raw: { width, height, channels: 3 } }) };
}

/** The colour at (x, y), 0..255. */
function at({ data, width }: RgbImage, [x, y]: readonly [number, number]): number[] {
  return Array.from(data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3), (value) => 255 * value);
}

function near(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  actual.forEach((value, i) =>
    assert(Math.abs(value - expected[i]!) <= tolerance, `${actual} is not near ${expected}`)
  );
}

const orange = [200, 100, 50] as const;
const formats: [string, () => Promise<Uint8Array>, readonly number[], number, RegExp][] = [
  ["PNG", () => picture(orange).sharp().png().toBuffer(), orange, 1e-4, /^$/],
  ["palette PNG", () => picture(orange).sharp().png({ palette: true }).toBuffer(), orange, 1e-4, /^$/],
  ["JPEG", () => picture(orange).sharp().jpeg().toBuffer(), orange, 2, /^$/],
  ["WebP", () => picture(orange).sharp().webp({ lossless: true }).toBuffer(), orange, 1e-4, /^$/],
  [
    "16-bit PNG",
    () => picture(orange).sharp().toColourspace("rgb16").png().toBuffer(),
    orange,
    1,
    /reduced from 16 bits/,
  ],
  [
    "16-bit TIFF",
    () => picture(orange).sharp().toColourspace("rgb16").tiff({ compression: "lzw" }).toBuffer(),
    orange,
    1,
    /reduced from 16 bits/,
  ],
  // orange is just outside of the press gamut: its blue comes back darker
  [
    "CMYK JPEG",
    () => picture(orange).sharp().toColourspace("cmyk").jpeg().toBuffer(),
    [200, 97, 35],
    16,
    /converted from CMYK/,
  ],
  [
    "grey JPEG",
    () => picture([90, 90, 90]).sharp().toColourspace("b-w").jpeg().toBuffer(),
    [90, 90, 90],
    2,
    /converted from grey/,
  ],
  [
    "16-bit grey PNG",
    () => picture([90, 90, 90]).sharp().toColourspace("grey16").png().toBuffer(),
    [90, 90, 90],
    1,
    /grey; reduced from 16/,
  ],
  ["Display P3 PNG", () => picture(orange).sharp().withIccProfile("p3").png().toBuffer(), orange, 2, /^$/],
  [
    "half transparent PNG",
    () => picture(orange).sharp().ensureAlpha(0.5).png().toBuffer(),
    [100, 50, 25],
    2,
    /transparent/,
  ],
];

for (const [name, make, expected, tolerance, notes] of formats) {
  Deno.test(`decodePhotograph reads a ${name} as sRGB in 0..1`, async () => {
    const photograph = await decodePhotograph(await make());
    assert.deepEqual([photograph.image.width, photograph.image.height], [width, height]);
    assert.equal(photograph.image.data.length, 3 * width * height);
    near(at(photograph.image, [31, 17]), expected, tolerance);
    assert.match(photograph.notes.join("; "), notes);
  });
}

Deno.test("decodePhotograph turns all eight EXIF orientations upright", async () => {
  const upright = picture().sharp();
  // how a camera stores an upright picture under each orientation: the inverse of what the tag asks for
  const stored = [
    upright.clone(),
    upright.clone().flop(),
    upright.clone().rotate(180),
    upright.clone().flip(),
    sharp(await upright.clone().rotate(90).png().toBuffer()).flop(),
    upright.clone().rotate(-90),
    sharp(await upright.clone().rotate(-90).png().toBuffer()).flop(),
    upright.clone().rotate(90),
  ];
  for (const [i, image] of stored.entries()) {
    const plain = await image.png().toBuffer();
    const bytes = await sharp(plain).withMetadata({ orientation: i + 1 }).png().toBuffer();
    const photograph = await decodePhotograph(bytes);
    assert.deepEqual(photograph.original, { width, height }, `orientation ${i + 1}`);
    for (const point of [[0, 0], [63, 0], [5, 40]] as const) {
      near(at(photograph.image, point), [4 * point[0], 5 * point[1], 128], 0.5);
    }
  }
});

Deno.test("decodePhotograph reduces a 10,000-pixel-wide photograph and says so", async () => {
  const wide = await sharp({ create: { width: 10_000, height: 200, channels: 3, background: "#c86432" } }).jpeg()
    .toBuffer();
  const { image, original, notes } = await decodePhotograph(wide);
  assert.deepEqual([image.width, image.height, original], [2048, 41, { width: 10_000, height: 200 }]);
  assert.deepEqual(notes, ["reduced from 10000×200 pixels"]);
  near(at(image, [1000, 20]), orange, 2);
  assert.equal((await decodePhotograph(wide, { maxSide: Infinity })).image.width, 10_000);
});

Deno.test("decodePhotograph names path and cause of what it cannot read", async () => {
  const noise = createImage({ width: 90, height: 90 }).data.map((_, i) => ((i * 7919) % 251) / 251);
  const jpeg = await encodeJpeg(createImage({ width: 90, height: 90 }, noise));
  const png = await encodePng(createImage({ width: 90, height: 90 }, noise));
  const damaged = png.slice();
  damaged[png.length >> 1]! ^= 0x55;
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(), /a\/b\.jpg: the file is empty \(0 bytes\)/],
    [jpeg.subarray(0, jpeg.length >> 1), /a\/b\.jpg: truncated or damaged/],
    [jpeg.subarray(0, jpeg.length - 8), /a\/b\.jpg: truncated or damaged/],
    [jpeg.subarray(0, 60), /a\/b\.jpg: truncated or damaged/],
    [png.subarray(0, png.length >> 1), /a\/b\.jpg: truncated or damaged/],
    [damaged, /a\/b\.jpg: truncated or damaged/],
    [new TextEncoder().encode("this is not an image at all"), /a\/b\.jpg: not an image/],
    [await encodePng(createImage({ width: 8, height: 30 })), /a\/b\.jpg: 8×30 pixels are too few/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(decodePhotograph(bytes, { path: "a/b.jpg" }), (error) => {
      assert(error instanceof PhotographError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("encodePng keeps 8-bit values exactly, clamps the rest, and repeats byte for byte", async () => {
  const image = createImage({ width: 16, height: 17 });
  image.data.forEach((_, i) => image.data[i] = (i % 256) / 255);
  image.data.set([-0.5, 1.5, 0.5004]);
  const bytes = await encodePng(image);
  assert.deepEqual(await encodePng(image), bytes);
  const { image: again } = await decodePhotograph(bytes);
  assert.deepEqual(Array.from(again.data.subarray(0, 3)), [0, 1, Math.fround(128 / 255)]);
  assert.deepEqual(again.data.subarray(3), image.data.subarray(3));
});

Deno.test("encodeJpeg stays near the image and repeats byte for byte", async () => {
  const { data } = picture();
  const image = createImage({ width, height }, Float32Array.from(data, (value) => value / 255));
  const bytes = await encodeJpeg(image);
  assert.deepEqual(await encodeJpeg(image), bytes);
  near(at((await decodePhotograph(bytes)).image, [30, 20]), [120, 100, 128], 4);
});

Deno.test("encodeGreyPng writes one channel", async () => {
  const data = Float32Array.from({ length: 20 * 30 }, (_, i) => (i % 256) / 255);
  const bytes = await encodeGreyPng({ width: 20, height: 30, data });
  assert.equal((await sharp(bytes).metadata()).channels, 1);
  near(at((await decodePhotograph(bytes)).image, [7, 3]), [67, 67, 67], 0.5);
});
