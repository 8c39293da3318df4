import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { applyOperatorCpu, pictureOperator } from "../../../face/render_cpu.ts";
import type { Writer } from "@ftim/pipeline";
import { decodePhotograph } from "../../../stages/faces/photograph.ts";
import { writeReconstructions } from "../../../stages/faces/reconstruction.ts";
import { maxDifference, randomStream } from "../../face/head.ts";
import { CROP, makeFace, SIZE, topology } from "../face_lab.ts";

const tf = await openTfjs();
const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value))) / 255;
const next = randomStream(3);
const noise = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.2));

const faces = [20, -35, 0].map((yaw, i) => ({
  key: `a/${i}`,
  vertices: makeFace({ yaw }).vertices,
  crop: { width: CROP, height: CROP, data: Uint8Array.from(noise(3 * CROP * CROP, 1), (value) => 255 * byte(value)) },
  texture: noise(3 * SIZE * SIZE, 1.6),
  albedo: noise(3 * SIZE * SIZE, 1.6),
}));

/** Writes the reconstructions of some faces. */
async function write(some: typeof faces): Promise<Map<string, Uint8Array>> {
  const written = new Map<string, Uint8Array>();
  const out = { write: (path: string, bytes: Uint8Array) => void written.set(path, bytes) } as unknown as Writer;
  const stack = (name: "texture" | "albedo") =>
    tf.stack(some.map((face) => tf.tensor3d(face[name], [SIZE, SIZE, 3]))) as ReturnType<typeof tf.tensor4d>;
  const maps = tf.tidy(() => ({ texture: stack("texture"), albedo: stack("albedo") }));
  await writeReconstructions(some.map((face) => ({ ...face, out })), { tf, ...maps, topology, stage: "test" });
  return written;
}

Deno.test("writeReconstructions() renders each texture over its crop and leaves all other pixels", async () => {
  const before = tf.memory().numTensors;
  const written = await write(faces);
  assert.equal(tf.memory().numTensors, before);
  const names = faces.flatMap(({ key }) => [`${key}.albedo.png`, `${key}.render.png`, `${key}.texture.png`]);
  assert.deepEqual([...written.keys()].sort(), names);
  const read = async (path: string) => (await decodePhotograph(written.get(path)!, { maxSide: Infinity })).image.data;
  for (const { key, texture, albedo, crop, vertices } of faces) {
    assert.ok(maxDifference(await read(`${key}.texture.png`), texture.map(byte)) < 1e-6);
    assert.ok(maxDifference(await read(`${key}.albedo.png`), albedo.map(byte)) < 1e-6);
    const picture = await read(`${key}.render.png`);
    const operator = pictureOperator(vertices, { topology, size: SIZE, width: CROP, height: CROP });
    const render = applyOperatorCpu(operator, texture.map((value) => Math.min(1, Math.max(0, value))));
    let outside = 0;
    operator.coverage.forEach((coverage, pixel) => {
      for (let i = 3 * pixel; i < 3 * pixel + 3; i++) {
        if (coverage === 0) assert.equal(Math.round(255 * picture[i]!), crop.data[i]);
        else assert.ok(Math.abs(picture[i]! - render[i]!) <= 0.5 / 255 + 1e-5);
      }
      if (coverage === 0) outside++;
    });
    assert.ok(outside > 10_000 && outside < 45_000);
  }
});

Deno.test("a face has the same files alone as in a batch", async () => {
  const together = await write(faces);
  for (const face of faces) {
    for (const [path, bytes] of await write([face])) assert.deepEqual(bytes, together.get(path));
  }
});

Deno.test("crops of two sizes are refused by the name of the face", async () => {
  const small = { ...faces[1]!, crop: { width: 8, height: 8, data: new Uint8Array(192) } };
  await assert.rejects(write([faces[0]!, small]), /a\/1: the crop is 8×8/);
});
