/**
 * What `synthesize` is to photograph: which heads, with which expression, in which light, from where. All of it is
 * drawn from one seed, before a pixel is rendered.
 */
import { gaussian, type Random, uniform } from "../../../nets/random.ts";
import type { HeadAngles } from "../../../nets/head_pose.ts";
import { type CoverPlan, planCover } from "./synthetic_covers.ts";

/** A head: one person, or a blend of two. */
export interface HeadPlan {
  /** Names of the persons whose shape and albedo it has. */
  persons: readonly string[];
  /** Share of the first. */
  share: number;
  /** Added to the blend's identity coefficients, standard deviations. */
  jitter: readonly number[];
}

/** One frame of a capture. */
export type FramePlan = { kind: "head"; angles: HeadAngles } | { kind: "decoy"; decoy: number };

/** One expression of one head under one light: a folder in FaceScape's layout. */
export interface CapturePlan {
  /** FaceScape's `<id>`, from 1. */
  id: number;
  /** FaceScape's `<k_expression>`. */
  expression: string;
  head: HeadPlan;
  /** Expression coefficients, standard deviations. */
  code: readonly number[];
  /** Light in the head's own frame [27], band-major, RGB last: the lamps stay where they are when the camera moves. */
  light: Float32Array;
  /** What covers a part of the face, if anything. */
  cover: CoverPlan | null;
  /** Where the head is off the optical axis, as a share of the picture's side. */
  offset: readonly [number, number];
  /** Which of each person's photographs gives the albedo, counted round. */
  photograph: number;
  frames: readonly FramePlan[];
}

/** The photographs that a capture's albedo is made of: one of each person that the head has. */
export function photographsOf<T extends { readonly person: string }>(
  { head, photograph }: Pick<CapturePlan, "head" | "photograph">,
  sources: readonly T[],
): T[] {
  return head.persons.map((person) => {
    const own = sources.filter((source) => source.person === person);
    return own[photograph % own.length]!;
  });
}

/** Settings of {@linkcode planCaptures}. */
export interface PlanOptions {
  persons: readonly string[];
  identities: number;
  expressions: number;
  identityComponents: number;
  expressionComponents: number;
  decoys: number;
  /** Share of the captures with a covered face, 0..1. Default 0. */
  covered?: number;
  /** Share of the captures that a lamp lights from one side, 0..1. Default 0. */
  sideLit?: number;
  seed: number;
}

/** Plans all captures. */
export function planCaptures(options: PlanOptions): CapturePlan[] {
  const { persons, identities, expressions, expressionComponents, covered = 0, sideLit = 0, seed } = options;
  if (persons.length === 0) throw new RangeError("Cannot plan captures without a person");
  const random = uniform(seed);
  const normal = gaussian(seed + 1);
  // Of their own, so that all else is the same whatever the shares are.
  const [chance, extra] = [uniform(seed + 2), uniform(seed + 3)];
  const captures: CapturePlan[] = [];
  for (let i = 0; i < identities; i++) {
    const head = planHead(i, { ...options, random, normal });
    for (let e = 0; e < expressions; e++) {
      captures.push({
        id: i + 1,
        expression: e === 0 ? "1_neutral" : `${e + 1}_drawn`,
        head,
        code: Array.from({ length: expressionComponents }, () => {
          const value = Math.max(-1.8, Math.min(1.8, normal()));
          return e === 0 ? 0 : value;
        }),
        light: chance() < sideLit ? fromOneSide(planLight(random, normal), extra) : planLight(random, normal),
        cover: chance() < covered ? planCover(extra) : null,
        offset: [0.04 * normal(), 0.03 * normal()],
        photograph: e,
        frames: planFrames(random, normal, options.decoys),
      });
    }
  }
  return captures;
}

function planHead(
  index: number,
  { persons, identityComponents, random, normal }: PlanOptions & { random: Random; normal: () => number },
): HeadPlan {
  const jitter = Array.from({ length: identityComponents }, () => 0.3 * normal());
  if (index < persons.length) return { persons: [persons[index]!], share: 1, jitter: jitter.map(() => 0) };
  const first = Math.floor(random() * persons.length);
  const second = (first + 1 + Math.floor(random() * Math.max(1, persons.length - 1))) % persons.length;
  return { persons: [persons[first]!, persons[second]!], share: 0.35 + 0.3 * random(), jitter };
}

/** A bright ambient light, a lamp before the face, a slight tint and a little of the higher bands. */
function planLight(random: Random, normal: () => number): Float32Array {
  const light = new Float32Array(27);
  const brightness = 0.85 + 0.2 * random();
  const azimuth = (random() - 0.5) * Math.PI;
  const elevation = (random() - 0.25) * Math.PI / 3;
  const strength = 0.08 + 0.27 * random();
  const lamp = [Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation), Math.cos(azimuth) * Math.cos(elevation)];
  const higher = Array.from({ length: 5 }, () => 0.03 * normal());
  for (let c = 0; c < 3; c++) {
    const tint = 1 + 0.04 * normal();
    light[c] = brightness * tint / 0.2820948;
    for (let k = 0; k < 3; k++) light[3 * (k + 1) + c] = strength * tint * lamp[k]!;
    for (let k = 0; k < 5; k++) light[3 * (k + 4) + c] = higher[k]!;
  }
  return light;
}

/** The same light with a lamp at one side in place of its own, so that the other side lies in shade. */
function fromOneSide(light: Float32Array, random: Random): Float32Array {
  const azimuth = (random() < 0.5 ? -1 : 1) * (0.3 + 0.2 * random()) * Math.PI;
  const elevation = (random() - 0.25) * Math.PI / 3;
  const strength = 0.35 + 0.25 * random();
  const lamp = [Math.sin(azimuth) * Math.cos(elevation), Math.sin(elevation), Math.cos(azimuth) * Math.cos(elevation)];
  return light.map((value, i) => i < 3 ? 0.75 * value : i < 12 ? strength * lamp[Math.floor(i / 3) - 1]! : value);
}

/** One frame in each of the paper's yaw bins, one anywhere, now and then one from behind or without a face. */
function planFrames(random: Random, normal: () => number, decoys: number): FramePlan[] {
  const at = (yaw: number): FramePlan => ({ kind: "head", angles: { yaw, pitch: 6 * normal(), roll: 5 * normal() } });
  const frames = [
    at((random() - 0.5) * 18),
    at(-12 - 60 * random()),
    at(12 + 60 * random()),
    at((random() - 0.5) * 170),
  ];
  if (random() < 0.4) frames.push(at((random() < 0.5 ? -1 : 1) * (100 + 50 * random())));
  if (decoys > 0 && random() < 0.3) frames.push({ kind: "decoy", decoy: Math.floor(random() * decoys) });
  return frames;
}
