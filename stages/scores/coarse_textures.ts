/**
 * A bound on completion, in the place of a reconstruction: the first guess with the true colours of what the view did
 * not show, each the mean of a window. A method that knew the light and the skin tone of the unseen half exactly, but
 * none of its moles, hairs and folds, would give this. How much of the gap to the true texture it closes in other views
 * says what a method can hope for that must infer what it did not see.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/**
 * Faces with first guesses, and the true textures of their heads (`textures/<identity>/<expression>.texture.png`) →
 * `<key>.texture.png`. Means are of the texels that the view did not show and the portraits of the head did (`known`).
 * A face whose head has no true texture is skipped by name.
 */
export const coarseTextures = defineStage({
  name: "coarse_textures",
  module: import.meta.url,
  inputs: { crops: "aligned", unwrapped: "unwrapped", guesses: "guesses", truth: "synthetic", known: "known" },
  output: "reconstructions",
  each: ["crops", "unwrapped", "guesses"],
  batch: 16,
  params: z.strictObject({
    /** Windows that fit side by side into the map: the larger the number, the finer the detail that is known. */
    windows: z.int().min(1),
  }),
  determinism: "bitwise",
  computes: { webgpu: "differences and their means" },
  resources: { gpu: true },
  open: async () => await (await import("@ftim/gpu/tfjs")).openTfjs(),
  run: async ({ items, inputs: { truth, known }, params: { windows }, resource: tf }) => {
    const { byteValues } = await import("@ftim/gpu/ops/byte-values");
    const { coarseColours } = await import("../../face/coarse_colours.ts");
    const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
    const { readVisibilityBytes } = await import("../faces/geometry.ts");
    const { encodePng, readPixels } = await import("../faces/photograph.ts");
    const read = await Promise.all(items.map(async ({ key, inputs: { crops, unwrapped, guesses }, out, skip }) => {
      const { identity, expression } = await crops.json<AlignedFace>(`${key}.json`);
      const path = `textures/${identity}/${expression}.texture.png`;
      if (!truth.has(path)) {
        skip(`${key}: there is no true texture ${path}`);
        return [];
      }
      const [guess, texture, visibility, shown] = await Promise.all([
        readPixels(guesses, `${key}.png`),
        readPixels(truth, path),
        readVisibilityBytes(unwrapped, key),
        readVisibilityBytes(known, `${identity}/${expression}`),
      ]);
      return [{ key, out, guess: guess.data, truth: texture.data, visibility, known: shown }];
    }));
    const faces = read.flat();
    if (faces.length === 0) return;
    const size = Math.sqrt(faces[0]!.visibility.length);
    const radius = Math.max(1, Math.round((size / windows - 1) / 2));
    const stack = (name: "guess" | "truth" | "visibility" | "known", channels: number) =>
      byteValues(tf, faces.map((face) => face[name]), [faces.length, size, size, channels]) as Tensor4D;
    const textures = tf.tidy(() =>
      coarseColours(tf, {
        guess: stack("guess", 3),
        truth: stack("truth", 3),
        unseen: tf.sub<Tensor4D>(1, stack("visibility", 1)),
        known: stack("known", 1),
      }, { radius })
    );
    const [bytes] = await readPixelBytes(tf, [textures], "coarse_textures");
    const length = 3 * size * size;
    await Promise.all(faces.map(async ({ key, out }, i) => {
      const data = bytes!.subarray(i * length, (i + 1) * length);
      out.write(`${key}.texture.png`, await encodePng({ width: size, height: size, data }));
    }));
  },
});
