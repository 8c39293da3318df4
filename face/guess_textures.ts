/**
 * FTIM's first guesses of many faces at once on the device: `guessTexture` of guess_textures_cpu.ts, where the settings
 * are. Values agree to f32 rounding, 3e-6 of full scale.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import { completeTextures } from "./complete_textures.ts";
import { GUESS } from "./guess_textures_cpu.ts";
import { packBytes } from "./map_bytes.ts";
import type { Topology } from "./topology.ts";

/** What is known of the faces. */
export interface GuessInputs {
  /** What was seen [B, S, S, 3]. */
  readonly textures: Tensor4D;
  /** [B, S, S] */
  readonly visibilities: Tensor3D;
  /** Of the template [B, S, S, 3]. */
  readonly albedos: Tensor4D;
  /** Of the template [B, S, S, 3]. */
  readonly shadings: Tensor4D;
}

/** First guesses. */
export interface Guesses {
  /** Words of `packBytes` [B·S·S·3 / 4]. The caller disposes of them. */
  readonly bytes: Tensor;
  /** The faces of which too little was seen. Their guesses mean nothing. */
  readonly unseen: readonly number[];
}

/**
 * Guesses textures. The same bits come out for a face in any batch.
 *
 * @throws {RangeError} if shapes do not fit
 */
export async function guessTextures(
  tf: Tfjs,
  { textures, visibilities, albedos, shadings }: GuessInputs,
  { topology }: { topology: Topology },
): Promise<Guesses> {
  const unlit = exchange(tf, { from: textures, taken: shadings, albedos, sign: -1 });
  const { textures: complete, unseen } = await completeTextures(
    tf,
    { textures: unlit, visibilities, templates: albedos },
    { topology, ...GUESS },
  ).finally(() => unlit.dispose());
  const bytes = tf.tidy(() => packBytes(tf, exchange(tf, { from: complete, taken: shadings, albedos, sign: 1 })));
  complete.dispose();
  return { bytes, unseen };
}

/** Takes the template's light out of a texture (−1), or puts it back (1). */
function exchange(
  tf: Tfjs,
  { from, taken, albedos, sign }: { from: Tensor4D; taken: Tensor4D; albedos: Tensor4D; sign: 1 | -1 },
): Tensor4D {
  return run(tf, {
    key: "guess_exchange",
    code: () =>
      program({
        result: "f32",
        inputs: [["maps", "f32"], ["shadings", "f32"], ["albedos", "f32"]],
        uniforms: ["size", "sign:f32"],
        body: `
  if (id >= u.size) { return; }
  let albedo = albedos[id];
  result[id] = maps[id] + u.sign * (shadings[id] * albedo - albedo);`,
      }),
    inputs: [from, taken, albedos],
    shape: from.shape,
    uniforms: [from.size, { f32: sign }],
    invocations: from.size,
  }) as Tensor4D;
}
