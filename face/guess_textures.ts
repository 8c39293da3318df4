/**
 * FTIM's first guesses of many faces at once on the device: `guessTexture` of guess_textures_cpu.ts. Values agree to
 * f32 rounding, 3e-6 of full scale.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import { completeTextures } from "./complete_textures.ts";
import { GUESS } from "./guess_settings.ts";
import { PACKED } from "@ftim/gpu/ops/pack-bytes";
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
  const unlit = withoutLight(tf, textures, { albedos, shadings });
  const { textures: complete, unseen } = await completeTextures(
    tf,
    { textures: unlit, visibilities, templates: albedos },
    { topology, ...GUESS },
  ).finally(() => unlit.dispose());
  const bytes = litBytes(tf, complete, { albedos, shadings });
  complete.dispose();
  return { bytes, unseen };
}

type Template = Pick<GuessInputs, "albedos" | "shadings">;

/** WGSL of `light(i)`: what the template's light adds to value i of its albedo. */
const LIGHT = "fn light(i : i32) -> f32 { return shadings[i] * albedos[i] - albedos[i]; }";

/** Textures less what the template's light adds. */
function withoutLight(tf: Tfjs, textures: Tensor4D, { albedos, shadings }: Template): Tensor4D {
  return run(tf, {
    key: "guess_without_light",
    code: () =>
      program({
        result: "f32",
        inputs: [["textures", "f32"], ["shadings", "f32"], ["albedos", "f32"]],
        uniforms: ["size"],
        functions: LIGHT,
        body: `
  if (id >= u.size) { return; }
  result[id] = textures[id] - light(id);`,
      }),
    inputs: [textures, shadings, albedos],
    shape: textures.shape,
    uniforms: [textures.size],
    invocations: textures.size,
  }) as Tensor4D;
}

/** Complete textures and what the template's light adds, as the words of `packBytes`. */
function litBytes(tf: Tfjs, complete: Tensor4D, { albedos, shadings }: Template): Tensor {
  const words = Math.ceil(complete.size / 4);
  return run(tf, {
    key: "guess_lit_bytes",
    code: () =>
      program({
        result: "i32",
        inputs: [["complete", "f32"], ["shadings", "f32"], ["albedos", "f32"]],
        uniforms: ["words", "last"],
        functions: `${PACKED}\n${LIGHT}\nfn lit(i : i32) -> f32 { return complete[i] + light(i); }`,
        body: `
  if (id >= u.words) { return; }
  let at = min(vec4<i32>(4 * id) + vec4<i32>(0, 1, 2, 3), vec4<i32>(u.last));
  result[id] = packed(vec4<f32>(lit(at.x), lit(at.y), lit(at.z), lit(at.w)));`,
      }),
    inputs: [complete, shadings, albedos],
    shape: [words],
    dtype: "int32",
    uniforms: [words, complete.size - 1],
    invocations: words,
  });
}
