/**
 * A bound on completion, in the place of a reconstruction: the first guess with the true colours of what the view did
 * not show, each the mean of a window. A method that knew the light and the skin tone of the unseen half exactly, but
 * none of its moles, hairs and folds, would give this. How much of the gap to the true texture it closes in other views
 * says what a method can hope for that must infer what it did not see.
 */
import { z } from "zod";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/** Faces at once on the device. */
const AT_ONCE = 8;

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
  params: z.strictObject({
    /** Windows that fit side by side into the map: the larger the number, the finer the detail that is known. */
    windows: z.int().min(1),
  }),
  determinism: "bitwise",
  computes: { webgpu: "differences and their means" },
  resources: { gpu: true },
  run: async ({ inputs, params: { windows }, out, skip, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { byteValues } = await import("@ftim/gpu/ops/byte-values");
    const { bytesOf, packBytes } = await import("@ftim/gpu/ops/pack-bytes");
    const { readBack } = await import("@ftim/gpu/ops/read-back");
    const { coarseColours } = await import("../../face/coarse_colours.ts");
    const { keysOf } = await import("../faces/keys_of.ts");
    const { encodePng } = await import("../faces/photograph.ts");
    const { readAhead } = await import("../faces/read_ahead.ts");
    const tf = await openTfjs();
    const keys: string[] = [];
    const heads = new Map<string, string>();
    for (const key of keysOf(inputs.guesses, ".png")) {
      const { identity, expression } = await inputs.crops.json<AlignedFace>(`${key}.json`);
      heads.set(key, `${identity}/${expression}`);
      if (inputs.truth.has(texturePath(heads.get(key)!))) keys.push(key);
      else skip(key, `there is no true texture ${texturePath(heads.get(key)!)}`);
    }
    const read = (key: string) => readMaps(inputs, { key, head: heads.get(key)! });
    for await (const faces of readAhead(keys, { count: AT_ONCE, read })) {
      signal.throwIfAborted();
      const size = Math.sqrt(faces[0]!.visibility.length);
      const radius = Math.max(1, Math.round((size / windows - 1) / 2));
      const stack = <K extends "guess" | "truth" | "visibility" | "known">(name: K, channels: number) =>
        byteValues(tf, faces.map((face) => face[name]), [faces.length, size, size, channels]);
      const packed = tf.tidy(() => {
        const [guess, truth] = [stack("guess", 3), stack("truth", 3)];
        const maps = { guess, truth, unseen: tf.sub(1, stack("visibility", 1)), known: stack("known", 1) };
        return packBytes(tf, coarseColours(tf, maps as Parameters<typeof coarseColours>[1], { radius }));
      });
      const [words] = await readBack<"int32">([packed], "coarse_textures");
      await Promise.all(faces.map(async ({ key }, index) => {
        const data = bytesOf(words!, { index, length: 3 * size * size });
        out.write(`${key}.texture.png`, await encodePng({ width: size, height: size, data }));
      }));
    }
  },
});

const texturePath = (head: string) => `textures/${head}.texture.png`;

/** The maps of one face, a byte a value. */
async function readMaps(
  { unwrapped, guesses, truth, known }: Readonly<Record<"unwrapped" | "guesses" | "truth" | "known", Tree>>,
  { key, head }: { key: string; head: string },
) {
  const { readVisibilityBytes } = await import("../faces/geometry.ts");
  const { readPixels } = await import("../faces/photograph.ts");
  const [guess, texture, visibility, shown] = await Promise.all([
    readPixels(guesses, `${key}.png`),
    readPixels(truth, texturePath(head)),
    readVisibilityBytes(unwrapped, key),
    readVisibilityBytes(known, head),
  ]);
  return { key, guess: guess.data, truth: texture.data, visibility, known: shown };
}
