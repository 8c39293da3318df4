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
 * `textures/photographs.json` and, of every frame with a head, `meshes/captures/<id>/<k_expression>/<view>.safetensors`: its true `vertices` [V,3] in pixels of the
 * frame (x right, y down, z away).
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
    seed: z.int().default(7),
  }),
  determinism: "bitwise",
  computes: { cpu: "building heads, shading, drawing; not on WebGPU yet" },
  run: async ({ inputs, params: { side, sourceYaw, ...params }, out, log, progress, signal }) => {
    const { photographsOf, planCaptures } = await import("./parts/synthetic_plan.ts");
    const { cameraFor, castHead, photographHead, posedMesh } = await import("./parts/synthetic_studio.ts");
    const { backgroundsOf, readDecoys, readSources } = await import("./parts/synthetic_sources.ts");
    const { formatCanonicalFrames, formatParams } = await import("../data/parts/facescape.ts");
    const { encodeMesh, readMorphable, readTopology } = await import("../faces/geometry.ts");
    const { encodeJpeg, encodePng } = await import("../faces/photograph.ts");
    const topology = await readTopology(inputs.topology);
    const model = await readMorphable(inputs.model);
    const sources = await readSources(inputs, model, { maxYaw: sourceYaw });
    const decoys = inputs.decoys === undefined ? [] : await readDecoys(inputs.decoys, side);
    const backgrounds = backgroundsOf(sources, side);
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

    const truth: FrameTruth[] = [];
    const frames = new Map<string, { scale: number; rt: number[][] }>();
    for (const [done, capture] of captures.entries()) {
      signal.throwIfAborted();
      const identity = String(capture.id);
      const folder = `${identity}/${capture.expression}`;
      const head = castHead(capture, { sources, model, topology });
      const cameras = new Map<number, ReturnType<typeof cameraFor>>();
      // Files are encoded on other threads while the next frame is drawn.
      const encoded: Promise<void>[] = [];
      for (const [view, frame] of capture.frames.entries()) {
        const key = `captures/${folder}/${view}`;
        const angles = frame.kind === "head" ? frame.angles : { yaw: 0, pitch: 0, roll: 0 };
        const camera = cameraFor(angles, { side, offset: capture.offset });
        cameras.set(view, camera);
        const background = backgrounds.get(head.source)!;
        const picture = frame.kind === "head"
          ? photographHead(head, { camera, topology, background })
          : decoys[frame.decoy]!;
        encoded.push(encodeJpeg(picture, { quality: 93 }).then((bytes) => out.write(`${key}.jpg`, bytes)));
        if (frame.kind === "head") {
          out.write(`meshes/${key}.safetensors`, encodeMesh({ vertices: posedMesh(head.shape, camera) }));
        }
        const hasFace = frame.kind === "head" && Math.abs(angles.yaw) <= 90;
        truth.push({
          key,
          hasFace,
          yaw: frame.kind === "head" ? angles.yaw : null,
          identity,
          persons: frame.kind === "head" ? capture.head.persons : [],
          expression: capture.expression,
        });
      }
      out.json(`captures/${folder}/params.json`, formatParams(cameras));
      frames.set(`${identity}/${capture.expression.split("_")[0]}`, { scale: 1, rt: IDENTITY });
      for (const name of ["albedo", "texture"] as const) {
        encoded.push(encodePng(head[name]).then((bytes) => out.write(`textures/${folder}.${name}.png`, bytes)));
      }
      await Promise.all(encoded);
      progress(done + 1, captures.length);
    }
    out.json("captures/Rt_scale_dict.json", formatCanonicalFrames(frames));
    out.json("truth.json", truth);
    const photographs = captures.map((capture): HeadPhotographs => ({
      identity: String(capture.id),
      expression: capture.expression,
      photographs: photographsOf(capture, sources).map(({ key }) => key),
    }));
    out.json("textures/photographs.json", photographs);
  },
});

/** The captures' world is the canonical head frame. */
const IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]];
