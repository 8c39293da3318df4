/**
 * Our task in one sitting, after nvdiffrast's `samples/torch/earth.py`: a texture that nobody knows is found from
 * photographs of a mesh whose shape and place are known. A bent sheet with a known texture is rendered from three
 * sides; then a grey texture is rendered the same way, compared with the three images, and moved against the gradient
 * of the difference until it looks the same.
 *
 * The mesh does not move, so an image is a linear function of the texture: a sparse matrix, built once a view. Its
 * transpose is the exact gradient.
 *
 * ```sh
 * deno run --allow-env --allow-read --allow-sys --allow-ffi --allow-net examples/fit_texture.ts
 * ```
 */

import { adamStep, applySparse, createAdam, disposeAdam, disposeSparse, openGpu, openTfjs } from "@ftim/gpu";
import { psnr } from "@ftim/gpu/metrics-cpu";
import type { Scalar, Tensor2D } from "@tensorflow/tfjs";
import { poseToCrop, rotationFromAngles } from "../face/pose.ts";
import { renderOperator } from "../face/render_cpu.ts";
import { createTopology, type Topology } from "../face/topology.ts";

/** Vertices along a side of the sheet; odd, because its UV chart must be symmetric. */
const GRID = 17;
/** Side of the texture in texels. */
const TEXELS = 64;
/** Side of an image in pixels. */
const PIXELS = 96;
/** How far the sheet is turned in each view, in degrees. */
const YAWS = [-45, 0, 45];
const LEARNING_RATE = 0.02;

/** How to fit. */
export interface FitOptions {
  readonly steps: number;
  /** Called every ten steps with the mean absolute difference of the images, values in 0..1. */
  readonly report?: (step: number, error: number) => void;
}

/**
 * Peak signal-to-noise ratio of the texture, in dB, over the texels that some view shows: before the first step and
 * after the last.
 */
export async function fitTexture({ steps, report }: FitOptions): Promise<{ before: number; after: number }> {
  const tf = await openTfjs();
  const { topology, model } = bentSheet();
  const operators = YAWS.map((yaw) => {
    const rotation = rotationFromAngles({ yaw, pitch: 10, roll: 0 });
    const middle = Float64Array.of(PIXELS / 2, -PIXELS / 2, 0);
    const vertices = poseToCrop({ scale: 0.4 * PIXELS, rotation, translation: middle }, model);
    return renderOperator(vertices, { topology, width: PIXELS, height: PIXELS, size: TEXELS });
  });

  const truth = checkerboard();
  const seen = new Float32Array(TEXELS * TEXELS);
  for (const { indices } of operators) for (const texel of indices) seen[texel] = 1;
  const quality = (texture: Float32Array) => {
    const [a, b] = [texture, truth].map((data) => ({ width: TEXELS, height: TEXELS, data }));
    return psnr(a!, b!, { mask: seen });
  };

  const known = tf.tensor2d(truth, [TEXELS * TEXELS, 3]);
  const photographs = operators.map((operator) => applySparse(tf, operator, known));
  const texture = tf.variable(tf.fill([TEXELS * TEXELS, 3], 0.5) as Tensor2D);
  const before = quality(await texture.data<"float32">());

  const difference = () => {
    const errors = operators.map((operator, i) => {
      const image = applySparse(tf, operator, texture as unknown as Tensor2D);
      return tf.mean(tf.abs(tf.sub(image, photographs[i]!)));
    });
    return tf.div(tf.addN(errors), errors.length) as Scalar;
  };
  const state = createAdam();
  for (let step = 0; step < steps; step++) {
    const { value, grads } = tf.variableGrads(difference, [texture]);
    adamStep(tf, state, { variables: [texture], gradients: grads, learningRate: LEARNING_RATE });
    // To read a value takes milliseconds, so most steps leave it on the device.
    if (report !== undefined && step % 10 === 0) report(step, (await value.data())[0]!);
    tf.dispose([value, grads]);
  }
  const after = quality(await texture.data<"float32">());

  disposeAdam(state);
  for (const operator of operators) disposeSparse(operator);
  tf.dispose([known, photographs, texture]);
  await (await openGpu()).assertHealthy("fit_texture");
  return { before, after };
}

/**
 * A sheet bent about the vertical axis through 140 degrees, facing the viewer; x right, y up, z to the viewer. Its UV
 * chart is the flat sheet.
 */
function bentSheet(): { topology: Topology; model: Float32Array } {
  const [uvs, model, triangles] = [[], [], []] as [number[], number[], number[]];
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const [u, v] = [column / (GRID - 1), row / (GRID - 1)];
      const angle = (u - 0.5) * 140 * Math.PI / 180;
      uvs.push(0.02 + 0.96 * u, 0.02 + 0.96 * v);
      model.push(Math.sin(angle), 1 - 2 * v, Math.cos(angle));
      if (row === GRID - 1 || column === GRID - 1) continue;
      const corner = row * GRID + column;
      triangles.push(corner, corner + GRID, corner + GRID + 1, corner, corner + GRID + 1, corner + 1);
    }
  }
  const topology = createTopology({ triangles: Uint32Array.from(triangles), uvs: Float32Array.from(uvs) });
  return { topology, model: Float32Array.from(model) };
}

/**
 * The known texture: eight by eight squares, bright and dark by turns, of colours that run from corner to corner. RGB
 * in 0..1.
 */
function checkerboard(): Float32Array {
  return Float32Array.from({ length: 3 * TEXELS * TEXELS }, (_, i) => {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % TEXELS, Math.floor(i / 3 / TEXELS)];
    const square = (Math.floor(8 * x / TEXELS) + Math.floor(8 * y / TEXELS)) % 2;
    const colour = [x / TEXELS, y / TEXELS, 1 - x / TEXELS][channel]!;
    return 0.1 + 0.4 * square + 0.4 * colour;
  });
}

if (import.meta.main) {
  const { before, after } = await fitTexture({
    steps: 200,
    report: (step, error) => console.log(`step ${step}: the images differ by ${error.toFixed(4)}`),
  });
  console.log(`PSNR of the texels that were seen: ${before.toFixed(1)} dB before, ${after.toFixed(1)} dB after`);
}
