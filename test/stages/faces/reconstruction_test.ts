import assert from "node:assert/strict";
import { applyOperatorCpu } from "../../../face/render.ts";
import type { Tree, Writer } from "@ftim/pipeline";
import { decodePhotograph, encodePng } from "../../../stages/faces/photograph.ts";
import { writeReconstruction } from "../../../stages/faces/reconstruction.ts";
import { maxDifference, randomStream } from "../../face/head.ts";
import { CROP, makeFace, SIZE, topology } from "../face_lab.ts";

const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value))) / 255;

Deno.test("writeReconstruction() renders the texture over the crop and leaves every other pixel as it is", async () => {
  const { vertices, operator } = makeFace({ yaw: 20 });
  const next = randomStream(3);
  const noise = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.2));
  const crop = await encodePng({ width: CROP, height: CROP, data: noise(3 * CROP * CROP, 1) });
  const [texture, albedo] = [noise(3 * SIZE * SIZE, 1.6), noise(3 * SIZE * SIZE, 1.6)];
  const written = new Map<string, Uint8Array>();
  const out = { write: (path: string, bytes: Uint8Array) => void written.set(path, bytes) } as unknown as Writer;
  const crops = { bytes: () => Promise.resolve(crop) } as unknown as Tree;
  await writeReconstruction({ texture, albedo }, { key: "a/0", crops, out, vertices, topology });

  assert.deepEqual([...written.keys()].sort(), ["a/0.albedo.png", "a/0.render.png", "a/0.texture.png"]);
  const read = async (bytes: Uint8Array) => (await decodePhotograph(bytes, { maxSide: Infinity })).image.data;
  assert.ok(maxDifference(await read(written.get("a/0.texture.png")!), texture.map(byte)) < 1e-6);
  assert.ok(maxDifference(await read(written.get("a/0.albedo.png")!), albedo.map(byte)) < 1e-6);
  const [overlay, original] = [await read(written.get("a/0.render.png")!), await read(crop)];
  const render = applyOperatorCpu(operator, texture.map((value) => Math.min(1, Math.max(0, value))));
  let outside = 0;
  operator.coverage.forEach((coverage, pixel) => {
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) {
      if (coverage === 0) assert.equal(overlay[i], original[i]);
      else assert.ok(Math.abs(overlay[i]! - render[i]!) <= 0.5 / 255 + 1e-6);
    }
    if (coverage === 0) outside++;
  });
  assert.ok(outside > 10_000 && outside < 45_000);
});
