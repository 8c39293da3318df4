/**
 * Displacement maps along the normals whose shading explains photographs, of many faces at once on the device: shape
 * from shading in UV space. The shading is linearised about the smooth surface, so a displacement is the solution of
 * one linear least-squares problem, found by conjugate gradients as in the reference (fit_details_cpu.ts). Nothing is
 * read back: steps and norms stay there, and every sum has a fixed order, so that a face's bits depend neither on the
 * run nor on the other faces.
 *
 * All is in f32. For some twenty iterations the displacement is the reference's to 1e-5 of its largest value. Then
 * conjugate gradients have found their strongest directions and rounding grows, in f32 sooner than in f64: after 80
 * iterations the normals of a wrinkled face are the reference's to 2e-3, and to 2e-4 in the mean. They explain as much
 * of the texture, to a thousandth.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { isSoftware } from "@ftim/gpu/device";
import { emptyTensor, run, sizeOf } from "@ftim/gpu/wgsl";
import { foldCode, imageCode, MOST_PARTS, stepCode } from "./detail_solver_wgsl.ts";
import { normalsCode, rightCode, sceneCode } from "./fit_details_wgsl.ts";
import { surfaceMaps } from "./normal_maps.ts";
import type { Topology } from "./topology.ts";

/** The faces, their light and what was seen of them; S×S texels. */
export interface DetailScenes {
  /** Posed vertices [B, V, 4], see `uploadMeshes`. */
  readonly vertices: Tensor3D;
  /** Light [B, 27]. */
  readonly light: Tensor;
  /** Albedo [B, S, S, 3]. */
  readonly albedo: Tensor;
  /** Incomplete texture [B, S, S, 3]. */
  readonly texture: Tensor;
  /** Visibility [B, S, S]. */
  readonly visibility: Tensor;
}

/** How displacements are fitted. */
export interface DetailOptions {
  readonly topology: Topology;
  readonly size: number;
  /** Weight of the squared Laplacian. */
  readonly smoothness: number;
  /** Weight of the squared displacement. */
  readonly damping: number;
  /** Of conjugate gradients. */
  readonly iterations: number;
}

/**
 * So many faces are solved at once; some ten maps of each are on the device meanwhile. On a software adapter those of
 * few faces stay in the cores' caches: two together take a tenth less time a face than 16.
 */
const MOST_FACES = { software: 2, hardware: 32 } as const;

/**
 * Fits the displacement of each face. A texel that is not finite counts as not seen.
 *
 * @returns `displacement` [B, S, S], in texels, and the unit `normals` [B, S, S, 3] that it makes
 * @throws {RangeError} if the shapes do not fit
 */
export function fitDetails(
  tf: Tfjs,
  scenes: DetailScenes,
  options: DetailOptions,
): { displacement: Tensor3D; normals: Tensor4D } {
  check(scenes, options.size);
  const [batch] = scenes.vertices.shape;
  const most = MOST_FACES[isSoftware(webgpuBackend(tf).device) ? "software" : "hardware"];
  return tf.tidy(() => {
    const parts: { displacement: Tensor; normals: Tensor }[] = [];
    for (let first = 0; first < batch; first += most) {
      parts.push(tf.tidy(() => fitSome(tf, batch <= most ? scenes : someOf(tf, scenes, { first, most }), options)));
      // The device begins while the next faces are recorded.
      submitRecorded(webgpuBackend(tf));
    }
    return {
      displacement: tf.concat(parts.map(({ displacement }) => displacement)) as Tensor3D,
      normals: tf.concat(parts.map(({ normals }) => normals)) as Tensor4D,
    };
  });
}

function check({ vertices, light, albedo, texture, visibility }: DetailScenes, size: number): void {
  const [batch] = vertices.shape;
  const fits = light.size === 27 * batch && visibility.size === batch * size * size;
  if (!fits || albedo.size !== 3 * visibility.size || texture.size !== 3 * visibility.size) {
    throw new RangeError(
      `Meshes [${vertices.shape}], light [${light.shape}], albedo [${albedo.shape}], texture [${texture.shape}] and ` +
        `visibility [${visibility.shape}] must be of as many faces, of ${size}² texels`,
    );
  }
}

function someOf(
  tf: Tfjs,
  scenes: DetailScenes,
  { first, most }: { first: number; most: number },
): DetailScenes {
  const count = Math.min(most, scenes.vertices.shape[0] - first);
  const part = <T extends Tensor>(tensor: T) =>
    tf.slice(tensor, [first, ...tensor.shape.slice(1).map(() => 0)], [count, ...tensor.shape.slice(1)]) as T;
  const { vertices, light, albedo, texture, visibility } = scenes;
  return {
    vertices: part(vertices),
    light: part(light),
    albedo: part(albedo),
    texture: part(texture),
    visibility: part(visibility),
  };
}

function fitSome(
  tf: Tfjs,
  { vertices, light, albedo, texture, visibility }: DetailScenes,
  { topology, size, smoothness, damping, iterations }: DetailOptions,
): { displacement: Tensor; normals: Tensor } {
  const [batch] = vertices.shape;
  const { places, normals } = surfaceMaps(tf, vertices, { topology, size });
  // Texels of a row, filled up to whole elements of four.
  const width = 4 * Math.ceil(size / 4);
  const shape = [batch, size, width];
  // Some 16 texels for each read of the light.
  const slots = Math.ceil(size * width / 16);
  const [slopesDown, residuals, displacement] = [
    emptyTensor(tf, { shape: shape, dtype: "float32" }),
    emptyTensor(tf, { shape: shape, dtype: "float32" }),
    emptyTensor(tf, { shape: [batch, size, size], dtype: "float32" }),
  ];
  const slopes = run(tf, {
    key: "detail_scene",
    code: sceneCode,
    inputs: [places, normals, light, albedo, texture, visibility],
    outputs: [slopesDown, residuals],
    shape,
    uniforms: [batch * slots, size, width, slots],
    invocations: batch * slots,
  });
  const residual = run(tf, {
    key: "detail_right",
    code: rightCode,
    inputs: [slopes, slopesDown, residuals],
    shape,
    uniforms: [sizeOf(shape) / 4, size, width / 4],
    invocations: sizeOf(shape) / 4,
  });
  const solved = solve(tf, { slopes, slopesDown, residual }, { smoothness, damping, iterations });
  const detailed = run(tf, {
    key: "detail_normals",
    code: normalsCode,
    inputs: [places, normals, solved.solution, solved.direction, solved.states],
    outputs: [displacement],
    shape: [batch, size, size, 3],
    uniforms: [batch * size * size, size, width],
    invocations: batch * size * size,
  });
  return { displacement, normals: detailed };
}

/**
 * Conjugate gradients.
 *
 * @returns the solution, to which the last step along the direction is still to be added: `states[face].z`
 */
function solve(
  tf: Tfjs,
  { slopes, slopesDown, residual }: { slopes: Tensor; slopesDown: Tensor; residual: Tensor },
  { smoothness, damping, iterations }: Pick<DetailOptions, "smoothness" | "damping" | "iterations">,
): { solution: Tensor; direction: Tensor; states: Tensor } {
  const [batch = 0, size = 0, texels = 0] = residual.shape;
  const width = texels / 4;
  // Wide strips and long walks read least; a GPU wants many invocations more.
  const software = isSoftware(webgpuBackend(tf).device);
  const strip = software ? 4 : 1;
  const height = software ? 32 : 8;
  const strips = Math.ceil(width / strip);
  const cut = { strip, whole: width % strip === 0 };
  const parts = strips * Math.ceil(size / height);
  const sums = parts > MOST_PARTS ? MOST_PARTS / 4 : parts;
  const uniforms = (first: boolean) => [batch * parts, size, width, strips, height, parts, sums, first ? 1 : 0];
  const pass = (key: string, options: Pick<Parameters<typeof run>[1], "code" | "inputs" | "outputs" | "uniforms">) =>
    fold(
      tf,
      run(tf, {
        key: `${key}_${strip}${cut.whole ? "_whole" : ""}`,
        shape: [batch, parts],
        invocations: batch * parts,
        ...options,
      }),
      sums,
    );
  const [solution, image] = [tf.zeros(residual.shape), emptyTensor(tf, { shape: residual.shape, dtype: "float32" })];
  let [direction, next] = [tf.zeros(residual.shape), emptyTensor(tf, { shape: residual.shape, dtype: "float32" })];
  const [states, between] = [tf.zeros([batch, 4]), tf.zeros([batch, 4])];
  const step = (partial: Tensor, first: boolean) => {
    const sum = pass("detail_step", {
      code: () => stepCode(cut),
      inputs: [image, between, partial],
      outputs: [residual, states],
      uniforms: uniforms(first),
    });
    partial.dispose();
    return sum;
  };
  // A step of no length, for the residual's norm; it leaves the state for the first direction.
  let partial = step(tf.zeros([batch, sums]), true);
  for (let k = 0; k < iterations; k++) {
    const products = pass("detail_image", {
      code: () => imageCode(cut),
      inputs: [residual, direction, slopes, slopesDown, states, partial],
      outputs: [next, image, solution, between],
      uniforms: [...uniforms(k === 0), { f32: smoothness }, { f32: damping }],
    });
    partial.dispose();
    [direction, next] = [next, direction];
    partial = step(products, false);
  }
  return { solution, direction, states };
}

/** At most so many sums a face out of partial ones. */
function fold(tf: Tfjs, partial: Tensor, sums: number): Tensor {
  const [batch = 0, parts = 0] = partial.shape;
  if (parts === sums) return partial;
  const folded = run(tf, {
    key: "detail_fold",
    code: foldCode,
    inputs: [partial],
    shape: [batch, sums],
    uniforms: [batch * sums, parts, sums],
    invocations: batch * sums,
  });
  partial.dispose();
  return folded;
}
