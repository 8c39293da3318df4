/**
 * Triplets of frames of videos: in the place of the paper's three photographs of one moment, three frames in which a
 * person looks left, ahead and right with about one expression. They are chosen by what the networks say of yaw and
 * shape, and by no one's eye; `parts/alike_frames.ts` has the rule.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "./align.ts";
import type { Pose } from "./pose.ts";
import { MOST_YAW, type Triplets } from "./triplets.ts";
import type { Triplet } from "./parts/triplet_choice.ts";

const bin = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, "a bin is [low, high]");

/**
 * Frames with one face each, their poses, crops and meshes as the network finds them → `triplets.json` ({@link
 * Triplets}), of at most `count` triplets a person. The videos of a person take turns.
 */
export const videoTriplets = defineStage({
  name: "video_triplets",
  module: import.meta.url,
  inputs: { poses: "poses", crops: "aligned", meshes: "meshes" },
  output: "triplets",
  params: z.strictObject({
    /** Yaw ranges in degrees, edges included: left, frontal, right. */
    bins: z.tuple([bin, bin, bin]),
    /** Most triplets of a person. */
    count: z.int().min(1).default(12),
    /**
     * Most that points move up or down within a triplet, in parts of the face's height. Frames of `cap` with one
     * expression differ by 0.003 to 0.009, others by 0.013 to 0.029.
     */
    difference: z.number().positive().default(0.0125),
    /** Most that the widths of the faces of a triplet differ, as a ratio. */
    ratio: z.number().min(1).default(1.2),
    /** Least that the outer frames are turned from each other, in degrees. */
    turn: z.number().positive().default(10),
    /** Least time between two frames that look the same way, in milliseconds. */
    apart: z.int().min(0).default(500),
  }),
  determinism: "bitwise",
  computes: { cpu: "poses of a few hundred meshes: a small solve; comparing their heights: bookkeeping" },
  run: async ({ inputs: { poses, crops, meshes }, params, out, log }) => {
    const { readMesh } = await import("../faces/geometry.ts");
    const { chooseAlike, heightsOf, reachedBins } = await import("./parts/alike_frames.ts");
    const { binOf } = await import("./parts/triplet_choice.ts");
    const keys = meshes.paths.map((path) => path.replace(/\.safetensors$/, ""));
    const posed = await Promise.all(keys.map(async (key) => {
      const { photograph, face, identity, expression, view, box } = await crops.json<AlignedFace>(`${key}.json`);
      const { faces } = await poses.json<Pose>(`${photograph}.json`);
      const { yaw, pitch, roll } = faces[face]!;
      const vertices = await readMesh(meshes, key);
      const off = Math.abs(yaw) + Math.abs(pitch) + Math.abs(roll);
      return { key, identity: identity!, expression: expression!, time: view!, yaw, off, width: box.width, vertices };
    }));
    const groups = [...Map.groupBy(posed, ({ identity, expression }) => `${identity}/${expression}`).values()];
    const videos = groups.map((frames) => {
      const [{ identity, expression }] = frames as [typeof frames[number]];
      const ahead = frames.reduce((best, frame) => frame.off < best.off ? frame : best);
      const known = frames.map((frame) => ({ ...frame, heights: heightsOf(frame.vertices, ahead.vertices) }));
      const reached = reachedBins(frames.map(({ yaw }) => yaw), params);
      const triplets = chooseAlike(known, params).map((views): Triplet => ({
        identity,
        expression,
        views: [views[0].key, views[1].key, views[2].key],
        yaws: [views[0].yaw, views[1].yaw, views[2].yaw],
      }));
      const [left, right] = [reached[0]![1].toFixed(0), reached[2]![0].toFixed(0)];
      log(
        `${identity}/${expression}: ${triplets.length} triplets, from ${left}° to the left and ${right}° to the right`,
      );
      return { identity, triplets };
    });
    const triplets = [...Map.groupBy(videos, ({ identity }) => identity).values()].flatMap((own) => {
      const turns = Array.from({ length: params.count }, (_, i) => own.flatMap(({ triplets }) => triplets[i] ?? []));
      return turns.flat().slice(0, params.count);
    });
    if (triplets.length === 0) {
      throw new Error(
        `no triplet can be built from ${keys.length} frames of ${groups.length} videos: in none does a person look ` +
          "left, ahead and right with one expression. Raise difference, or lower turn.",
      );
    }
    const inBins = [0, 1, 2].map((i) => posed.filter(({ yaw }) => binOf(yaw, params.bins) === i).length);
    const possible = videos.reduce((sum, { triplets }) => sum + triplets.length, 0);
    const beyond = posed.filter(({ yaw }) => Math.abs(yaw) > MOST_YAW).length;
    const counts = { photographs: posed.length, beyond, inBins, groups: groups.length };
    const funnel = { ...counts, possible, chosen: triplets.length };
    out.json("triplets.json", { bins: params.bins, triplets, funnel } satisfies Triplets);
  },
});
