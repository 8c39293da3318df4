/**
 * The studio of `synthesize`: casts heads from the training photographs and takes their pictures with a known camera.
 */
import { drawScene } from "../../../face/scene.ts";
import { type HeadShell, headShell } from "../../../face/head_shell.ts";
import type { RgbImage } from "../../../face/image.ts";
import { type MorphableModel, shapeOf } from "../../../face/morphable.ts";
import { flipYZ } from "../../../face/pose.ts";
import { shadingMap } from "../../../face/shading.ts";
import type { Topology } from "../../../face/topology.ts";
import type { HeadAngles } from "../../../nets/head_pose.ts";
import type { Camera } from "../../data/parts/facescape.ts";
import { extrinsics } from "../../data/parts/facescape.ts";
import { type CapturePlan, photographsOf } from "./synthetic_plan.ts";

/** One training photograph, ready to be cast. */
export interface Source {
  /** Key of its face. */
  key: string;
  person: string;
  /** The whole photograph. */
  photograph: RgbImage;
  /** Its mesh in pixels of the photograph [3·V]. */
  vertices: Float32Array;
  /** Identity coefficients of the mesh, standard deviations. */
  identity: Float32Array;
  /** Completed albedo map [T·3]. */
  albedo: Float32Array;
  /** Mean colour of the face in the photograph. */
  colour: readonly [number, number, number];
}

/** A head in its light, before the camera. */
export interface CastHead {
  /** Vertices in millimetres, canonical head frame [3·V]. */
  shape: Float32Array;
  shell: HeadShell;
  source: Source;
  albedo: RgbImage;
  /** Albedo times shading. */
  texture: RgbImage;
  tint: readonly [number, number, number];
}

/** Millimetres for one unit of model space, of which a face is 2.7 wide: about 150 mm. */
const MILLIMETRES = 55;
/** Distance of the camera from the head, millimetres. */
const DISTANCE = 1200;

/** Makes the head of a capture. */
export function castHead(
  { head, code, light, photograph }: CapturePlan,
  { sources, model, topology }: { sources: readonly Source[]; model: MorphableModel; topology: Topology },
): CastHead {
  const chosen = photographsOf({ head, photograph }, sources);
  const shares = [head.share, 1 - head.share];
  const blend = (values: readonly Float32Array[]) =>
    values[0]!.map((_, i) => values.reduce((sum, value, k) => sum + shares[k]! * value[i]!, 0));
  const identity = blend(chosen.map((source) => source.identity)).map((value, k) => value + head.jitter[k]!);
  const unit = shapeOf(model, { identity, expression: Float32Array.from(code) });
  const albedo = blend(chosen.map((source) => source.albedo));
  const size = Math.sqrt(albedo.length / 3);
  const shading = shadingMap(flipYZ(unit), { light, topology, size });
  const texture = albedo.map((value, i) => Math.min(1, Math.max(0, value * shading[i]!)));
  const source = chosen[0]!;
  const seen = meanColour(texture);
  const shape = unit.map((value) => value * MILLIMETRES);
  return {
    shape,
    shell: headShell(shape, { triangles: topology.triangles, photographed: source.vertices }),
    source,
    albedo: { width: size, height: size, data: albedo },
    texture: { width: size, height: size, data: texture },
    tint: [0, 1, 2].map((c) => Math.min(1.6, Math.max(0.5, seen[c]! / source.colour[c]!))) as [number, number, number],
  };
}

/** The camera that shows the head at some angles, in FaceScape's terms. */
export function cameraFor(
  angles: HeadAngles,
  { side, offset }: { side: number; offset: readonly [number, number] },
): Camera {
  // A head fills about half of the picture.
  const focal = 4.7 * side;
  const centre = (side - 1) / 2;
  return {
    k: [[focal, 0, centre + offset[0] * side], [0, focal, centre + offset[1] * side], [0, 0, 1]],
    rt: extrinsics(angles, DISTANCE),
    distortion: [0, 0, 0, 0, 0],
    width: side,
    height: side,
    valid: true,
  };
}

/** Takes a head's picture. */
export function photographHead(
  { shape, shell, source, texture, tint }: CastHead,
  { camera, topology, background }: { camera: Camera; topology: Topology; background: RgbImage },
): RgbImage {
  return drawScene({
    face: project(shape, camera),
    topology,
    texture,
    shell: { ...shell, vertices: project(shell.vertices, camera) },
    photograph: source.photograph,
    tint,
    background,
  });
}

/**
 * World points to pixels with centres at +0.5 (OpenCV's are at whole numbers); z stays the distance from the camera.
 */
export function project(points: Float32Array, { k, rt }: Camera): Float32Array {
  const out = new Float32Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const [x, y, z] = rt.map((row) =>
      row[0]! * points[i]! + row[1]! * points[i + 1]! + row[2]! * points[i + 2]! + row[3]!
    ) as [number, number, number];
    out[i] = k[0]![0]! * x / z + k[0]![2]! + 0.5;
    out[i + 1] = k[1]![1]! * y / z + k[1]![2]! + 0.5;
    out[i + 2] = z;
  }
  return out;
}

/**
 * World points as a posed mesh: pixels (x right, y down) and depth (away, from the points' mean) in the pixels of that
 * depth.
 */
export function posedMesh(points: Float32Array, camera: Camera): Float32Array {
  const posed = project(points, camera);
  const depth = 3 * posed.reduce((sum, value, i) => i % 3 === 2 ? sum + value : sum, 0) / posed.length;
  const pixels = camera.k[0]![0]! / depth;
  return posed.map((value, i) => i % 3 === 2 ? pixels * (value - depth) : value);
}

/** Mean of a map's colours where it is not black. */
function meanColour(map: Float32Array): [number, number, number] {
  const sum = [0, 0, 0];
  let count = 0;
  for (let i = 0; i < map.length; i += 3) {
    if (map[i]! + map[i + 1]! + map[i + 2]! <= 0) continue;
    count++;
    for (let c = 0; c < 3; c++) sum[c] = sum[c]! + map[i + c]!;
  }
  return sum.map((value) => Math.max(value / Math.max(1, count), 1e-3)) as [number, number, number];
}
