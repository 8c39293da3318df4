/**
 * A face whose truth is known, on the real mesh topology: a dome, a small morphable model learned from variants of it,
 * a light, and the picture that they make. Maps are 64² so that whole stages run in a fraction of a second.
 */
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitMorphable } from "../../face/fit_morphable.ts";
import { ambientLight } from "../face/ambient_light.ts";
import { albedoOf, encodeMorphable, type MorphableModel } from "../../face/morphable.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { applyOperatorCpu, renderOperator } from "../../face/render_cpu.ts";
import { shadingMap } from "../../face/normal_maps_cpu.ts";
import type { SymmetricTopology } from "../../face/topology.ts";
import { parseFacemesh } from "../../nets/facemesh_topology.ts";
import { uvMap } from "../../face/uv_map.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import type { AlignedFace } from "../../stages/data/align.ts";
import { encodePng } from "../../stages/faces/photograph.ts";
import { asset } from "../assets.ts";
import { randomStream } from "../face/head.ts";

/** Side of the UV maps. */
export const SIZE = 64;
/** Side of the crops. */
export const CROP = 224;

export const topology: SymmetricTopology = parseFacemesh(
  new TextDecoder().decode(await asset("models/facemeshcoords.ts")),
);

/** Texels inside the chart: 1, others: 0. */
export const inside = uvMap(topology, SIZE).inside;

/** A dome over the chart, in model space (x right, y up, z to the viewer); `depth` and `width` vary it. */
export function dome({ depth = 1, width = 1 }: { depth?: number; width?: number } = {}): Float32Array {
  const shape = new Float32Array(3 * topology.vertexCount);
  for (let i = 0; i < topology.vertexCount; i++) {
    const [x, y] = [2 * topology.uvs[2 * i]! - 1, 2 * topology.uvs[2 * i + 1]! - 1];
    shape.set([1.3 * width * x, -1.6 * y, 1.4 * depth * Math.sqrt(Math.max(0, 1.1 - x * x - y * y))], 3 * i);
  }
  return shape;
}

/** The dome in a crop, turned. */
export function posed(yaw = 0, shape: Float32Array = dome()): Float32Array {
  const rotation = rotationFromAngles({ yaw, pitch: 0, roll: 0 });
  return poseToCrop({ scale: 62, rotation, translation: Float64Array.of(CROP / 2, -CROP / 2, 0) }, shape);
}

/** A smooth colour map of plausible albedos. */
export function smoothAlbedo(seed: number): Float32Array {
  const next = randomStream(seed);
  const waves = Array.from({ length: 4 }, () => [3 * next(), 3 * next(), 6 * next(), 0.06 * next()] as const);
  const tint = [0.65, 0.5, 0.42].map((value) => value + 0.1 * (next() - 0.5));
  return Float32Array.from({ length: 3 * SIZE * SIZE }, (_, i) => {
    const [u, v] = [(Math.floor(i / 3) % SIZE) / SIZE, Math.floor(i / 3 / SIZE) / SIZE];
    return waves.reduce((sum, [a, b, c, gain]) => sum + gain * Math.sin(6 * a * u + 6 * b * v + c), tint[i % 3]!);
  });
}

const domes = [0.8, 0.95, 1.1, 1.2].flatMap((depth, person) =>
  [0.97, 1.03].map((width) => ({ identity: `${person}`, vertices: posed(0, dome({ depth, width })) }))
);
const made = await fitMorphable(await openTfjs(), domes, {
  albedos: Array.from({ length: 8 }, (_, seed) => smoothAlbedo(seed)),
  components: { identities: 3, expressions: 2, albedos: 5 },
  topology,
});

/** A model of four persons' domes and eight albedos. */
export function morphable(): MorphableModel {
  return made;
}

/** The model as the stages read it. */
export function modelFile(): Uint8Array {
  return encodeSafetensors(encodeMorphable(morphable()));
}

/** A light from the front and a side; `side` −1..1. */
export function light(side: number): Float32Array {
  const values = ambientLight();
  for (let c = 0; c < 3; c++) {
    values[c] = 0.8 * values[c]!;
    values[3 + c] = 0.15 * side;
    values[9 + c] = 0.15;
  }
  return values;
}

/** A face with its truth: maps and picture. */
export function makeFace(
  { code = [0.8, -0.5, 0.4], side = 0.5, yaw = 0 }: { code?: number[]; side?: number; yaw?: number } = {},
) {
  const vertices = posed(yaw);
  const albedo = albedoOf(morphable(), Float32Array.from(code));
  const shading = shadingMap(vertices, { light: light(side), topology, size: SIZE });
  const texture = albedo.map((value, i) => value * shading[i]!);
  const operator = renderOperator(vertices, { topology, size: SIZE, width: CROP, height: CROP });
  const render = applyOperatorCpu(operator, texture);
  const picture = render.map((value, i) => value + (1 - operator.coverage[Math.floor(i / 3)]!) * 0.3);
  return { vertices, albedo, texture, operator, picture: { width: CROP, height: CROP, data: picture } };
}

/**
 * Files of a face as `align` and `mesh` write them, below `aligned/` and `meshes/`; the photograph is the crop unless
 * it is smaller, or has fewer pixels: `scale` of the crop's for one of its own.
 */
export async function faceFiles(
  key: string,
  { vertices, picture, scale = 1, corner = [0, 0], photograph = { width: CROP / scale, height: CROP / scale } }:
    & Pick<ReturnType<typeof makeFace>, "vertices" | "picture">
    & {
      photograph?: { width: number; height: number };
      scale?: number;
      /** Where the photograph's corner is in the crop. */
      corner?: readonly [number, number];
    },
): Promise<Record<string, Uint8Array | string>> {
  const aligned: AlignedFace = {
    source: `${key}.jpg`,
    identity: null,
    expression: null,
    view: null,
    angles: null,
    photograph: key.split("/")[0]!,
    face: 0,
    box: { left: 40, top: 30, width: 144, height: 164, score: 1 },
    transform: { scale, x: corner[0], y: corner[1], size: CROP, photograph },
  };
  return {
    [`aligned/${key}.png`]: await encodePng(picture),
    [`aligned/${key}.json`]: JSON.stringify(aligned),
    [`meshes/${key}.safetensors`]: encodeSafetensors({
      vertices: { shape: [vertices.length / 3, 3], data: vertices },
      score: { shape: [1], data: Float32Array.of(1) },
    }),
  };
}

/** Mean absolute difference of two RGB maps where a weight of the texel is at least a half. */
export function meanDifference(a: Float32Array, b: Float32Array, weight: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (weight[Math.floor(i / 3)]! < 0.5) continue;
    sum += Math.abs(a[i]! - b[i]!);
    count++;
  }
  return sum / count;
}
