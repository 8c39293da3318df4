/**
 * How much of a reconstructed face lies over its own photograph, as UV maps on the device. Where the photograph shows
 * the skin its pixels stay: they are what the texture was read from, and to draw them twice would only blur them. The
 * completed parts lie over it, and fade out toward the border of the mask and where the surface turns away from the
 * viewer, for there the mask's edge would show as a line against hair and background.
 *
 * `pasteWeightsCpu` is the reference; values agree to f32 rounding.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { boxMean } from "@ftim/gpu/ops/box-mean";
import { program, run } from "@ftim/gpu/wgsl";
import { normalMaps, uploadMeshes } from "./normal_maps.ts";
import { FADE } from "./paste_settings.ts";
import { GUESS } from "./guess_settings.ts";
import { type BytePixels, uploadPixels, valueAt } from "./pixels.ts";
import type { Topology } from "./topology.ts";
import { uvMap } from "./uv_map.ts";

/**
 * The weights of a batch of faces.
 *
 * @param visibility of each face in its photograph, 0..1 [B, S, S]
 * @param options.meshes posed vertices of each face in pixels [3·V]
 * @returns [B, S, S], 0..1
 */
export function pasteWeights(
  tf: Tfjs,
  visibility: Tensor3D,
  { meshes, topology }: { readonly meshes: readonly Float32Array[]; readonly topology: Topology },
): Tensor3D {
  const [, size] = visibility.shape;
  const [least, full] = GUESS.trust;
  return tf.tidy(() => {
    const inside = tf.tensor3d(Float32Array.from(uvMap(topology, size).inside), [1, size, size]);
    return run(tf, {
      key: "paste_weights",
      code,
      inputs: [
        visibility,
        normalMaps(tf, uploadMeshes(tf, meshes, topology), { topology, size }),
        boxMean(tf, inside, { radius: Math.round(FADE.border * size) }),
      ],
      shape: visibility.shape,
      uniforms: [
        visibility.size,
        size * size,
        ...[least, full, ...FADE.within, ...FADE.facing].map((f32) => ({ f32 })),
      ],
      invocations: visibility.size,
    }) as Tensor3D;
  });
}

/**
 * A texture times its weights, which are its fourth channel: what `renderPictures` must draw so that colours can be
 * laid over a photograph.
 *
 * @param texture in bytes, as large as its weights
 * @param options.weights of its face [1, S, S]
 * @returns [1, S, S, 4]
 * @throws {RangeError} if the sizes differ
 */
export function weightedTexture(
  tf: Tfjs,
  { width: side, data }: BytePixels,
  { weights }: { readonly weights: Tensor3D },
): Tensor4D {
  if (weights.size !== side * side) {
    throw new RangeError(`A texture of ${side}² texels cannot have weights [${weights.shape}]`);
  }
  return tf.tidy(() =>
    run(tf, {
      key: "paste_texture",
      code: textureCode,
      inputs: [uploadPixels(tf, { data }), weights],
      shape: [1, side, side, 4],
      uniforms: [side * side],
      invocations: side * side,
    }) as Tensor4D
  );
}

const textureCode = () =>
  program({
    result: "vec4<f32>",
    inputs: [["pixels", "u32"], ["weights", "f32"]],
    uniforms: ["count"],
    functions: valueAt(true),
    body: `
  if (id >= u.count) { return; }
  let colour = vec3<f32>(valueAt(3 * id), valueAt(3 * id + 1), valueAt(3 * id + 2));
  result[id] = weights[id] * vec4<f32>(colour, 1.0);`,
  });

const code = () =>
  program({
    result: "f32",
    inputs: [["visibility", "f32"], ["normals", "f32"], ["within", "f32"]],
    uniforms: [
      "count",
      "area",
      ...["least", "full", "border", "inner", "away", "toward"].map((name) => `${name}:f32`),
    ],
    body: `
  if (id >= u.count) { return; }
  result[id] = (1.0 - smoothstep(u.least, u.full, visibility[id])) *
    smoothstep(u.border, u.inner, within[id % u.area]) * smoothstep(u.away, u.toward, normals[3 * id + 2]);`,
  });
