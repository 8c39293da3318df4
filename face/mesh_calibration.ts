/**
 * How much a mesh correction helps on persons that it was not learned from. One face's error is alike in all of its
 * photographs, so a correction must be judged on other persons than it has seen: learned and tested on the same ones,
 * it would seem to help by knowing them.
 */
import type { Tfjs } from "@ftim/gpu/tfjs";
import { fitCorrections } from "./fit_corrections.ts";
import { applyCorrection, type FitOptions, type MeshSample } from "./mesh_correction.ts";
import { vertexNormals } from "./normals.ts";

/** A face whose true mesh, angle and persons are known. */
export interface CalibrationSample extends MeshSample {
  /** Who is in it: one person, or those that a blend was made of. */
  readonly persons: readonly string[];
  /** True yaw, degrees. */
  readonly yaw: number;
}

/** Distance between a mesh and the truth in the image plane, crop pixels. */
export interface MeshError {
  /** Mean over all vertices. */
  readonly all: number;
  /** Mean over those that face the camera. */
  readonly facing: number;
}

/** Mean errors of the faces in a bin of |yaw|. */
export interface CalibrationBin {
  /** From and below, degrees. */
  readonly yaw: readonly [number, number];
  readonly faces: number;
  readonly before: MeshError;
  readonly after: MeshError;
}

/** Bins of |yaw|: frontal, turned, toward profile. */
const BINS = [[0, 20], [20, 45], [45, 91]] as const;
/** Normals' z from which a vertex faces the camera: 78° from it. */
const FACING = 0.2;

/** Whether every face has others that share no person with it, so that a correction can be judged. */
export function canBeJudged(samples: readonly CalibrationSample[]): boolean {
  return samples.every((sample) => samples.some((other) => !sharePerson(sample, other)));
}

/**
 * Each face's mesh, corrected by what was learned from the faces that share no person with it.
 *
 * @throws {RangeError} if for some face no such faces are left
 * @throws {GpuError} if the device reports an error
 */
export async function correctedByOthers(
  tf: Tfjs,
  samples: readonly CalibrationSample[],
  options: FitOptions,
): Promise<Float32Array[]> {
  const groups = [...Map.groupBy(samples, ({ persons }) => persons.join("\n")).values()];
  const choices = groups.map(([one]) => [...samples.keys()].filter((i) => !sharePerson(samples[i]!, one!)));
  const corrections = await fitCorrections(tf, samples, { ...options, choices });
  const corrected = new Map<CalibrationSample, Float32Array>();
  for (const [i, group] of groups.entries()) {
    for (const sample of group) corrected.set(sample, applyCorrection(corrections[i]!, sample));
  }
  return samples.map((sample) => corrected.get(sample)!);
}

/** The error of a mesh [3·V] against the truth. */
export function meshError(
  vertices: Float32Array,
  { truth, triangles }: { truth: Float32Array; triangles: Uint32Array },
): MeshError {
  const normals = vertexNormals(truth, { triangles });
  const count = truth.length / 3;
  let [all, facing, turned] = [0, 0, 0];
  for (let i = 0; i < truth.length; i += 3) {
    const distance = Math.hypot(vertices[i]! - truth[i]!, vertices[i + 1]! - truth[i + 1]!);
    all += distance;
    if (normals[i + 2]! < FACING) continue;
    facing += distance;
    turned++;
  }
  return { all: all / count, facing: facing / Math.max(1, turned) };
}

/** Mean errors by bins of |yaw|, before and after; bins without a face are left out. */
export function errorsByYaw(
  faces: readonly { yaw: number; before: MeshError; after: MeshError }[],
): CalibrationBin[] {
  return BINS.flatMap((bin) => {
    const own = faces.filter(({ yaw }) => Math.abs(yaw) >= bin[0] && Math.abs(yaw) < bin[1]);
    if (own.length === 0) return [];
    return [{
      yaw: bin,
      faces: own.length,
      before: meanError(own.map(({ before }) => before)),
      after: meanError(own.map(({ after }) => after)),
    }];
  });
}

function sharePerson(a: CalibrationSample, b: CalibrationSample): boolean {
  return a.persons.some((person) => b.persons.includes(person));
}

/** Mean of errors. */
export function meanError(errors: readonly MeshError[]): MeshError {
  const mean = (name: keyof MeshError) => errors.reduce((sum, error) => sum + error[name], 0) / errors.length;
  return { all: mean("all"), facing: mean("facing") };
}
