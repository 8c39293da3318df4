/**
 * FaceScape's multi-view layout (Yang et al. 2020, toolkit documentation): `<id>/<k_expression>/<view>.jpg` with one
 * `params.json` a folder, whose keys are `<view>_K`, `<view>_Rt`, …. Cameras are OpenCV's: x right, y down, z forward;
 * a world point X is seen at K·(R·X + t). Each folder has a world frame of its own; `Rt_scale_dict.json` maps it to the
 * canonical head frame (x to the image's right of a frontal view, y up, z out of the face, millimetres), and with that
 * the head's angles in each photograph are known without a network.
 *
 * `synthesize` writes this layout with the same functions that `import` reads it with.
 */

import { z } from "zod";
import type { HeadAngles } from "../../../nets/head_pose.ts";

/** A 3×3 or 3×4 matrix, rows first. */
export type Matrix = readonly (readonly number[])[];

/** One camera of a folder. */
export interface Camera {
  /** Intrinsics, 3×3, in pixels; pixel centres are at whole numbers, as in OpenCV. */
  readonly k: Matrix;
  /** Extrinsics, 3×4: world to camera. */
  readonly rt: Matrix;
  /** k1, k2, p1, p2, k3 of OpenCV's lens model; all 0: no distortion. */
  readonly distortion: readonly number[];
  readonly width: number;
  readonly height: number;
  /** False: FaceScape's authors advise against using the view. */
  readonly valid: boolean;
}

/** Scale and 3×4 transform from a folder's world frame to the canonical head frame: X' = R·(scale·X) + t. */
export interface CanonicalFrame {
  readonly scale: number;
  readonly rt: Matrix;
}

/** params.json or Rt_scale_dict.json is not as it must be. */
export class FaceScapeError extends Error {
  override name = "FaceScapeError";
}

const number = z.number({ error: "must be a number" });
const row = z.array(number).min(3).max(4);
const fields = {
  K: z.array(row).min(3, "must be 3×3 or 4×4").max(4, "must be 3×3 or 4×4"),
  Rt: z.array(z.array(number).length(4, "must be 3×4")).min(3, "must be 3×4").max(4, "must be 3×4"),
  distortion: z.array(number).max(8).default([]),
  width: number.positive(),
  height: number.positive(),
  valid: z.union([z.boolean(), z.literal([0, 1]).transform(Boolean)]).default(true),
};

/**
 * Parses a `params.json`.
 *
 * @param text the file
 * @param path names it in errors
 * @returns cameras by view number
 * @throws {FaceScapeError} naming the path and the key that is wrong
 */
export function parseParams(text: string, path: string): Map<number, Camera> {
  const params = parseObject(text, path);
  const views = new Set<number>();
  for (const key of Object.keys(params)) {
    const match = /^(\d+)_[A-Za-z]+$/.exec(key);
    if (match !== null) views.add(Number(match[1]));
  }
  if (views.size === 0) throw new FaceScapeError(`${path}: there is no view (keys such as "0_K" and "0_Rt")`);
  const cameras = new Map<number, Camera>();
  for (const view of [...views].sort((a, b) => a - b)) {
    const field = <T>(name: string, schema: z.ZodType<T>): T => {
      const result = schema.safeParse(params[`${view}_${name}`]);
      if (result.success) return result.data;
      const missing = params[`${view}_${name}`] === undefined;
      throw new FaceScapeError(
        `${path}: ${view}_${name} ${missing ? "is missing" : result.error.issues[0]?.message ?? "is wrong"}`,
      );
    };
    cameras.set(view, {
      k: field("K", fields.K).slice(0, 3).map((r) => r.slice(0, 3)),
      rt: field("Rt", fields.Rt).slice(0, 3),
      distortion: [0, 1, 2, 3, 4].map((i) => field("distortion", fields.distortion)[i] ?? 0),
      width: field("width", fields.width),
      height: field("height", fields.height),
      valid: field("valid", fields.valid),
    });
  }
  return cameras;
}

/** The object to store as `params.json`; `parseParams` reads it back. */
export function formatParams(cameras: ReadonlyMap<number, Camera>): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [view, camera] of cameras) {
    params[`${view}_K`] = camera.k;
    params[`${view}_Rt`] = camera.rt;
    params[`${view}_distortion`] = camera.distortion;
    params[`${view}_width`] = camera.width;
    params[`${view}_height`] = camera.height;
    params[`${view}_valid`] = camera.valid;
  }
  return params;
}

/**
 * Parses `Rt_scale_dict.json`: `{ "<id>": { "<k>": [scale, [[…4], […4], […4]]] } }`.
 *
 * @returns frames by `<id>/<k>`
 * @throws {FaceScapeError} naming the path and the entry that is wrong
 */
export function parseCanonicalFrames(text: string, path: string): Map<string, CanonicalFrame> {
  const frames = new Map<string, CanonicalFrame>();
  const entry = z.tuple([number.positive(), fields.Rt]);
  for (const [id, expressions] of Object.entries(parseObject(text, path))) {
    if (typeof expressions !== "object" || expressions === null || Array.isArray(expressions)) {
      throw new FaceScapeError(`${path}: entry ${id} must be an object of expressions`);
    }
    for (const [expression, value] of Object.entries(expressions)) {
      const result = entry.safeParse(value);
      if (!result.success) {
        throw new FaceScapeError(
          `${path}: entry ${id}, ${expression} must be [scale, 3×4 matrix]: ${result.error.issues[0]?.message}`,
        );
      }
      frames.set(`${id}/${expression}`, { scale: result.data[0], rt: result.data[1].slice(0, 3) });
    }
  }
  return frames;
}

/** The object to store as `Rt_scale_dict.json`. */
export function formatCanonicalFrames(frames: ReadonlyMap<string, CanonicalFrame>): Record<string, unknown> {
  const dictionary: Record<string, Record<string, unknown>> = {};
  for (const [key, { scale, rt }] of frames) {
    const [id = "", expression = ""] = key.split("/");
    (dictionary[id] ??= {})[expression] = [scale, rt];
  }
  return dictionary;
}

/**
 * The head's angles in a photograph. With H = diag(1, −1, −1)·R·R_frameᵀ = Rz(roll)·Rx(−pitch)·Ry(yaw), so that yaw
 * turns about the head's own vertical axis and goes all the way round.
 *
 * @param camera whose `rt` maps world to camera
 * @param frame maps the folder's world to the canonical head frame; left out: the world is canonical already
 */
export function headAngles(camera: Pick<Camera, "rt">, frame?: CanonicalFrame): HeadAngles {
  const toCamera = frame === undefined
    ? rotation(camera.rt)
    : multiply(rotation(camera.rt), transpose(rotation(frame.rt)));
  const [first, second, third] = toCamera as [number[], number[], number[]];
  const degrees = 180 / Math.PI;
  return {
    yaw: Math.atan2(third[0]!, -third[2]!) * degrees,
    pitch: Math.asin(Math.min(1, Math.max(-1, third[1]!))) * degrees,
    roll: Math.atan2(-first[1]!, -second[1]!) * degrees,
  };
}

/**
 * The camera extrinsics that show a head (canonical frame, centred on the origin) at the given angles from a distance:
 * the inverse of `headAngles`, for writing captures.
 */
export function extrinsics({ yaw, pitch, roll }: HeadAngles, distance: number): Matrix {
  const [y, p, r] = [yaw, -pitch, roll].map((angle) => angle * Math.PI / 180) as [number, number, number];
  const about = [
    [[Math.cos(r), -Math.sin(r), 0], [Math.sin(r), Math.cos(r), 0], [0, 0, 1]],
    [[1, 0, 0], [0, Math.cos(p), -Math.sin(p)], [0, Math.sin(p), Math.cos(p)]],
    [[Math.cos(y), 0, Math.sin(y)], [0, 1, 0], [-Math.sin(y), 0, Math.cos(y)]],
  ] as const;
  const head = multiply(multiply(about[0], about[1]), about[2]);
  return head.map((values, i) => [...values.map((v) => i === 0 ? v : 0 - v), i === 2 ? distance : 0]);
}

/** Where a path of the layout belongs: `"212/4_anger/7"` or with an extension; null if it is not of the layout. */
export function parseViewPath(path: string): { identity: string; expression: string; view: number } | null {
  const match = /(?:^|\/)([^/]+)\/(\d+_[^/]+)\/(\d+)(?:\.[A-Za-z]+)?$/.exec(path);
  return match === null ? null : { identity: match[1]!, expression: match[2]!, view: Number(match[3]) };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FaceScapeError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new FaceScapeError(`${path} must hold a JSON object`);
}

function rotation(rt: Matrix): number[][] {
  return rt.slice(0, 3).map((values) => values.slice(0, 3));
}

function transpose(m: Matrix): number[][] {
  return [0, 1, 2].map((i) => m.map((values) => values[i]!));
}

function multiply(a: Matrix, b: Matrix): number[][] {
  return a.map((values) => [0, 1, 2].map((j) => values.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}
