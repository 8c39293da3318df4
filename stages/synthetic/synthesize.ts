/**
 * Multi-view captures with known truth, made from single photographs the way 300W-LP was (face profiling, Zhu et al.
 * 2016). The paper trains on FaceScape's captures, which are gated; these are written in FaceScape's own layout, so
 * that the importer, the face filter, the pose split and the triplets do the work that they would do there, and can be
 * scored against what is known.
 *
 * Each head takes shape and albedo from one person or from a blend of two. Frames from behind and, if decoys are given,
 * frames without a face are among them, as in real captures.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { CapturePlan } from "./parts/synthetic_plan.ts";

/** What is known of one frame; an entry of `truth.json`. */
export interface FrameTruth {
  /** Key of the imported image. */
  key: string;
  /** Whether the front of a face is seen. */
  hasFace: boolean;
  /** Degrees; null without a head. */
  yaw: number | null;
  identity: string | null;
  /** Whose photographs the head was made of; none without a head. */
  persons: readonly string[];
  expression: string | null;
}

/** Which photographs the texture of a head is made of; an entry of `textures/photographs.json`. */
export interface HeadPhotographs {
  identity: string;
  expression: string;
  /** Keys of their faces. */
  photographs: readonly string[];
}

/**
 * Photographs, meshes and the morphable model → `captures/<id>/<k_expression>/{<view>.jpg,params.json}`,
 * `captures/Rt_scale_dict.json`, `truth.json`, `textures/<id>/<k_expression>.{albedo,texture}.png`,
 * `textures/photographs.json` and, of every frame with a head,
 * `meshes/captures/<id>/<k_expression>/<view>.safetensors`: its true `vertices` [V,3] in pixels of the frame (x right,
 * y down, z away).
 */
export const synthesize = defineStage({
  name: "synthesize",
  module: import.meta.url,
  inputs: {
    images: "images",
    crops: "aligned",
    meshes: "meshes",
    model: "model",
    topology: "assets",
    decoys: "assets?",
  },
  output: "synthetic",
  params: z.strictObject({
    /** Heads; by default one a person. */
    identities: z.int().positive().exactOptional(),
    expressions: z.int().positive().default(2),
    /** Side of the pictures in pixels. */
    side: z.int().min(128).default(448),
    /**
     * Photographs whose face is turned further, in degrees, give no head: too much of its texture would be invented.
     */
    sourceYaw: z.number().positive().max(180).default(180),
    /** Share of the captures in which hair or a hand covers a part of one side of the face. */
    covered: z.number().min(0).max(1).default(0),
    /** Share of the captures that a lamp lights from one side. */
    sideLit: z.number().min(0).max(1).default(0),
    seed: z.int().default(7),
  }),
  // On one adapter; on another a sample here and there may be decided the other way.
  determinism: "bitwise",
  computes: {
    webgpu: "blending and shading of textures, backgrounds, drawing",
    cpu: "plans: bookkeeping; shapes of the sources and their shells: a small solve",
  },
  resources: { gpu: true },
  run: async ({ inputs, params: { side, sourceYaw, ...params }, out, log, progress, signal }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { photographsOf, planCaptures } = await import("./parts/synthetic_plan.ts");
    const { makeCaptures } = await import("./parts/synthetic_captures.ts");
    const { backgroundCells, readDecoys, readSources } = await import("./parts/synthetic_sources.ts");
    const { disposeUvTables } = await import("../../face/uv_tables.ts");
    const { formatCanonicalFrames } = await import("../data/parts/facescape.ts");
    const { readMorphable, readTopology } = await import("../faces/geometry.ts");
    const [tf, topology, model] = await Promise.all([
      openTfjs(),
      readTopology(inputs.topology),
      readMorphable(inputs.model),
    ]);
    const sources = await readSources(inputs, model, { maxYaw: sourceYaw });
    const decoys = inputs.decoys === undefined ? [] : await readDecoys(tf, inputs.decoys, side);
    const cells = await backgroundCells(tf, sources);
    const persons = [...new Set(sources.map(({ person }) => person))].sort();
    const heads = params.identities ?? persons.length;
    const captures = planCaptures({
      ...params,
      identities: heads,
      persons,
      identityComponents: model.identitySigma.length,
      expressionComponents: model.expressionSigma.length,
      decoys: decoys.length,
    });
    log(
      `${captures.length} captures of ${heads} heads from ${sources.length} photographs of ${persons.length} persons`,
    );
    await makeCaptures(tf, captures, {
      sources,
      model,
      topology,
      cells,
      decoys,
      side,
      out,
      progress: (done) => {
        signal.throwIfAborted();
        progress(done, captures.length);
      },
    });
    disposeUvTables(topology);
    const frames = captures.map(({ id, expression }) => [`${id}/${expression.split("_")[0]}`, CANONICAL] as const);
    out.json("captures/Rt_scale_dict.json", formatCanonicalFrames(new Map(frames)));
    out.json("truth.json", captures.flatMap(truthOf));
    const photographs = captures.map((capture): HeadPhotographs => ({
      identity: String(capture.id),
      expression: capture.expression,
      photographs: photographsOf(capture, sources).map(({ key }) => key),
    }));
    out.json("textures/photographs.json", photographs);
  },
});

/** The captures' world is the canonical head frame. */
const CANONICAL = { scale: 1, rt: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] };

function truthOf({ id, expression, head, frames }: CapturePlan): FrameTruth[] {
  return frames.map((frame, view) => ({
    key: `captures/${id}/${expression}/${view}`,
    hasFace: frame.kind === "head" && Math.abs(frame.angles.yaw) <= 90,
    yaw: frame.kind === "head" ? frame.angles.yaw : null,
    identity: String(id),
    persons: frame.kind === "head" ? head.persons : [],
    expression,
  }));
}
