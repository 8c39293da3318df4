/**
 * The detailed faces of Chen et al. 2020 on the device (the fine part of `build_model` in `face_model.py`,
 * cyj907/unsupervised-detail-layer, and its `uv_utils.py`): what the photograph and the drawn coarse face show goes
 * into the authors' chart, and what the detail network makes of both moves a mesh of one vertex a texel.
 *
 * The chart is laid out once, with the front of the mean face above what lies behind it. The authors do it anew for
 * each batch and move the vertices by random hundred-thousandths of the chart's side first, so that they differ.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { program, run } from "@ftim/gpu/wgsl";
import { CHEN_CROP, type ChenFaces, lightChen, poseChen } from "./chen_faces.ts";
import type { ChenChart, ChenModel } from "./chen_model.ts";
import { uploadRings } from "./ring_normals.ts";

/** Texels along each side of the chart. */
export const CHEN_CHART = 512;

/** Detailed faces of a batch. A type and no interface, so that `tf.tidy` takes it. */
export type ChenDetailFaces = {
  /** `[B, W, 3]`: pixels of the crop, x right, y down, z away; centres at +0.5. */
  readonly vertices: Tensor3D;
  /** `[B, W, 3]`: RGB 0..1, lit. */
  readonly colours: Tensor3D;
};

/** The chart on the device. */
export interface ChenDetailMesh {
  /** Of the detailed mesh, counter-clockwise seen from outside. */
  readonly triangles: Uint32Array<ArrayBuffer>;
  /**
   * What a picture shows at the vertices, in the chart.
   *
   * @param pictures `[B, 300, 300, 3]`: the crops, or the coarse faces drawn over them
   * @param vertices `[B, V, 3]` of the coarse faces
   * @returns `[B, 512, 512, 3]`, 0 outside of the chart
   */
  unwrap(pictures: Tensor4D, vertices: Tensor3D): Tensor4D;
  /**
   * Faces with their detail.
   *
   * @param displacements `[B, 512, 512, 1]` of the detail network
   * @param options.coarse what they are a detail of
   * @param options.pose as of the coarse faces
   * @param options.light as of the coarse faces
   */
  faces(
    displacements: Tensor4D,
    options: { coarse: Pick<ChenFaces, "space" | "albedo">; pose: Tensor; light: Tensor },
  ): ChenDetailFaces;
  dispose(): void;
}

/** Lays out the chart and puts it on the device. */
export function uploadChenDetail(tf: Tfjs, model: ChenModel, { places, face, moved }: ChenChart): ChenDetailMesh {
  const vertexCount = model.mean.length / 3;
  const flat = new Float32Array(3 * vertexCount);
  for (let v = 0; v < vertexCount; v++) {
    flat.set([places[2 * v + 1]!, places[2 * v]!, -model.mean[3 * v + 2]!], 3 * v);
  }
  const raster = rasteriseCpu({ vertices: flat, triangles: model.triangles }, {
    width: CHEN_CHART,
    height: CHEN_CHART,
  });
  const texels = CHEN_CHART ** 2;
  const [corners, weights] = [new Int32Array(4 * texels).fill(-1), new Float32Array(3 * texels)];
  raster.triangle.forEach((triangle, texel) => {
    if (triangle < 0) return;
    for (let k = 0; k < 3; k++) corners[4 * texel + k] = model.triangles[3 * triangle + k]!;
    const [a, b] = [raster.weights[2 * texel]!, raster.weights[2 * texel + 1]!];
    weights.set([a, b, 1 - a - b], 3 * texel);
  });
  const { vertices, triangles } = detailMesh((texel) => face[texel] !== 0 && raster.triangle[texel]! >= 0);
  const constants = {
    corners: tf.tensor1d(corners, "int32"),
    weights: tf.tensor1d(weights),
    every: tf.tensor1d(Int32Array.from({ length: texels }, (_, i) => i), "int32"),
    vertices: tf.tensor1d(Int32Array.from(vertices), "int32"),
    moved: tf.tensor3d(moved, [1, vertexCount, 1]),
  };
  const rings = uploadRings(tf, { triangles, vertexCount: vertices.length }, { weights: "area" });

  /** Values of the vertices [B, V, C] at some texels [B, N, C]; 0 outside of the chart. */
  const atTexels = (values: Tensor3D, places: Tensor) => {
    const [batch, , channels] = values.shape;
    const count = batch * places.size;
    return run(tf, {
      key: `chen_at_texels_${channels}`,
      code: () => atTexelsCode(channels),
      inputs: [values, places, constants.corners, constants.weights],
      shape: [batch, places.size, channels],
      uniforms: [count, places.size, vertexCount],
      invocations: count,
    }) as Tensor3D;
  };
  return {
    triangles,
    unwrap(pictures, posed) {
      const batch = pictures.shape[0];
      const wanted = [batch, CHEN_CROP, CHEN_CROP, 3];
      if (String(pictures.shape) !== String(wanted) || String(posed.shape) !== String([batch, vertexCount, 3])) {
        throw new RangeError(
          `Cannot unwrap pictures [${pictures.shape}] with vertices [${posed.shape}]; expected are [${wanted}] and ` +
            `[${[batch, vertexCount, 3]}]`,
        );
      }
      return tf.tidy(() => {
        const colours = run(tf, {
          key: "chen_pixels",
          code: pixelsCode,
          inputs: [pictures, posed],
          shape: posed.shape,
          uniforms: [batch * vertexCount, vertexCount, CHEN_CROP],
          invocations: batch * vertexCount,
        }) as Tensor3D;
        return tf.reshape(atTexels(colours, constants.every), [batch, CHEN_CHART, CHEN_CHART, 3]);
      });
    },
    faces: (displacements, { coarse, pose, light }) =>
      tf.tidy((): ChenDetailFaces => {
        const batch = displacements.shape[0];
        const space = atTexels(coarse.space, constants.vertices);
        const moved = atTexels(tf.tile(constants.moved, [batch, 1, 1]), constants.vertices);
        const all = tf.reshape(displacements, [batch, texels]);
        const [x, y, z] = tf.split(space, 3, 2) as [Tensor3D, Tensor3D, Tensor3D];
        const more = tf.mul(tf.expandDims(tf.gather(all, constants.vertices as Tensor & { rank: 1 }, 1), 2), moved);
        const { camera, vertices } = poseChen(tf, tf.concat([x, y, tf.add(z, more)], 2), pose);
        const albedo = atTexels(coarse.albedo, constants.vertices);
        return { vertices, colours: lightChen(tf, rings.normals(camera), { albedo, light }) };
      }),
    dispose() {
      rings.dispose();
      tf.dispose(Object.values<Tensor>(constants));
    },
  };
}

/** A vertex for each texel that is of the face, and two triangles where all corners of a square are. */
function detailMesh(isFace: (texel: number) => boolean): { vertices: number[]; triangles: Uint32Array<ArrayBuffer> } {
  const numbers = new Int32Array(CHEN_CHART ** 2).fill(-1);
  const vertices: number[] = [];
  for (let texel = 0; texel < numbers.length; texel++) {
    if (isFace(texel)) numbers[texel] = vertices.push(texel) - 1;
  }
  const triangles: number[] = [];
  for (let row = 0; row + 1 < CHEN_CHART; row++) {
    for (let column = 0; column + 1 < CHEN_CHART; column++) {
      const at = row * CHEN_CHART + column;
      const square = [at, at + 1, at + CHEN_CHART + 1, at + CHEN_CHART].map((texel) => numbers[texel]!);
      if (square.some((vertex) => vertex < 0)) continue;
      const [a, b, c, d] = square as [number, number, number, number];
      triangles.push(a, c, b, a, d, c);
    }
  }
  return { vertices, triangles: Uint32Array.from(triangles) };
}

const atTexelsCode = (channels: number) =>
  program({
    result: "f32",
    inputs: [["values", "f32"], ["places", "i32"], ["corners", "vec4<i32>"], ["weights", "f32"]],
    uniforms: ["count", "texels", "vertices"],
    body: `
  if (id >= u.count) { return; }
  let texel = places[id % u.texels];
  let first = id / u.texels * u.vertices;
  let corner = corners[texel];
  for (var c = 0; c < ${channels}; c++) {
    var sum = 0.0;
    if (corner.x >= 0) {
      sum = weights[3 * texel] * values[(first + corner.x) * ${channels} + c] +
        weights[3 * texel + 1] * values[(first + corner.y) * ${channels} + c] +
        weights[3 * texel + 2] * values[(first + corner.z) * ${channels} + c];
    }
    result[${channels} * id + c] = sum;
  }`,
  });

const pixelsCode = () =>
  program({
    result: "f32",
    inputs: [["pictures", "f32"], ["points", "f32"]],
    uniforms: ["count", "vertices", "size"],
    body: `
  if (id >= u.count) { return; }
  // the pixel that the vertex is in, or the nearest one
  let most = f32(u.size - 1);
  let x = i32(clamp(points[3 * id], 0.0, most));
  let y = i32(clamp(points[3 * id + 1], 0.0, most));
  let at = 3 * ((id / u.vertices * u.size + y) * u.size + x);
  for (var c = 0; c < 3; c++) { result[3 * id + c] = pictures[at + c]; }`,
  });
