import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { guessTextures } from "../../face/guess_textures.ts";
import { guessTexture } from "../../face/guess_textures_cpu.ts";
import { bytesOf } from "@ftim/gpu/ops/pack-bytes";
import { uvMap } from "../../face/uv_map.ts";
import { gridHead, randomStream } from "./head.ts";

const random = randomStream(31);
const { topology } = gridHead(15);
const tf = await openTfjs();

/** A face seen up to a column, with noise. */
function face(size: number, share: number) {
  const { inside } = uvMap(topology, size);
  const noise = (low: number, high: number) =>
    Float32Array.from({ length: 3 * size * size }, () => low + (high - low) * random());
  const visibility = Float32Array.from(inside, (value, i) => i % size < share * size ? value : 0);
  return { texture: noise(0.1, 0.9), visibility, albedo: noise(0.3, 0.7), shading: noise(0.8, 1.2) };
}

type Face = ReturnType<typeof face>;

async function onDevice(faces: readonly Face[], size: number) {
  const before = tf.memory().numTensors;
  const shape = [faces.length, size, size, 3] as [number, number, number, number];
  const maps = {
    textures: tf.tensor4d(faces.flatMap(({ texture }) => [...texture]), shape),
    visibilities: tf.tensor3d(faces.flatMap(({ visibility }) => [...visibility]), [faces.length, size, size]),
    albedos: tf.tensor4d(faces.flatMap(({ albedo }) => [...albedo]), shape),
    shadings: tf.tensor4d(faces.flatMap(({ shading }) => [...shading]), shape),
  };
  const { bytes, unseen } = await guessTextures(tf, maps, { topology });
  const words = await bytes.data<"int32">();
  tf.dispose([bytes, maps]);
  assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
  return { unseen, guesses: faces.map((_, index) => bytesOf(words, { index, length: 3 * size * size }).slice()) };
}

for (const [size, shares] of [[64, [0.6, 0.9, 0.75]], [34, [0.7]], [16, Array(65).fill(0.8)]] as const) {
  Deno.test(`guessTextures() is guessTexture(): ${shares.length} of ${size}²`, async () => {
    const faces = shares.map((share) => face(size, share));
    const { guesses, unseen } = await onDevice(faces, size);
    assert.deepEqual(unseen, []);
    for (const [i, { texture, visibility, albedo, shading }] of faces.entries()) {
      const expected = guessTexture({ texture, visibility }, { albedo, shading, topology });
      for (const [k, value] of guesses[i]!.entries()) {
        const wanted = 255 * Math.min(1, Math.max(0, expected[k]!));
        assert.ok(Math.abs(value - wanted) <= 0.502, `face ${i}, value ${k}: ${value} for ${wanted}`);
      }
    }
    assert.deepEqual(await onDevice(faces, size), { guesses, unseen }, "the same bits in another run");
    assert.deepEqual((await onDevice(faces.slice(-1), size)).guesses, guesses.slice(-1), "and alone");
  });
}

Deno.test("guessTextures() names the face of which nothing was seen and guesses the others", async () => {
  const faces = [face(16, 0.8), face(16, 0), face(16, 0.7)];
  const { guesses, unseen } = await onDevice(faces, 16);
  assert.deepEqual(unseen, [1]);
  assert.deepEqual((await onDevice(faces.slice(2), 16)).guesses[0], guesses[2]);
});
