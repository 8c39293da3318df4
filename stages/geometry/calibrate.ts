/**
 * What the mesh network usually gets wrong, learned from captures whose true meshes are known (`synthesize`).
 * `correct_mesh` takes it off. The paper has no such step. The views of a triplet must fit each other, or the training
 * learns nothing from one about another.
 *
 * A correction is judged on persons that it was not learned from, and used only if it makes the mean error smaller
 * there. Without truth, or with a single person's, there is none, and every mesh stays as it is. It is learned on
 * rendered heads; nothing tells the truth of photographs.
 */
import { z } from "zod";
import type { CalibrationSample } from "../../face/mesh_calibration.ts";
import { toCrop } from "../../face/crop.ts";
import type { Angles } from "../../face/pose.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";
import { keysOf } from "../faces/keys_of.ts";
import type { FrameTruth } from "../synthetic/synthesize.ts";

/**
 * Crops, meshes, the pose network's angles and the truth (`truth.json`, `meshes/<photograph>.safetensors`) →
 * `correction.safetensors` (`mean` [V,3], `coefficients` [16,V,3]; its metadata say how it was made) and
 * `calibration.json`: errors by yaw, before and after, on persons left out.
 */
export const calibrate = defineStage({
  name: "calibrate",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    meshes: "meshes",
    angles: "angles",
    model: "model",
    topology: "assets",
    truth: "truth?",
  },
  output: "correction",
  params: z.strictObject({
    /** Pull of the coefficients toward 0, in samples. From 1 to 10 the errors differ by 4 %. */
    ridge: z.number().positive().default(3),
  }),
  determinism: "bitwise",
  computes: {
    webgpu: "least squares over meshes",
    cpu: "poses, systems of 16 unknowns: a small solve; errors of the meshes: bookkeeping",
  },
  resources: { gpu: true },
  run: async ({ inputs: { truth, ...faces }, params: { ridge }, out, log }) => {
    const { canBeJudged, correctedByOthers, errorsByYaw, meanError, meshError } = await import(
      "../../face/mesh_calibration.ts"
    );
    const { fitCorrections } = await import("../../face/fit_corrections.ts");
    const { applyCorrection, encodeCorrection, noCorrection } = await import("../../face/mesh_correction.ts");
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { encodeSafetensors } = await import("../../nets/safetensors.ts");
    const { readMorphable, readSymmetricTopology } = await import("../faces/geometry.ts");
    const { mean } = await readMorphable(faces.model);
    const { mirror, triangles } = await readSymmetricTopology(faces.topology);
    const known = truth === undefined ? [] : await readSamples({ ...faces, truth });
    const samples = canBeJudged(known) ? known : [];
    const errorOf = (vertices: Float32Array, { truth }: CalibrationSample) => meshError(vertices, { truth, triangles });
    const options = { mean, mirror, ridge };
    const tf = await openTfjs();
    const others = await correctedByOthers(tf, samples, options);
    const scored = samples.map((sample, i) => ({
      yaw: sample.yaw,
      before: errorOf(sample.vertices, sample),
      after: errorOf(others[i]!, sample),
    }));
    const [before, after] = [scored.map(({ before }) => before), scored.map(({ after }) => after)].map(meanError);
    const helps = samples.length > 0 && after!.all < before!.all;
    const choices = helps ? [[...samples.keys()]] : [];
    const [correction = noCorrection(mean)] = await fitCorrections(tf, samples, { ...options, choices });
    const bins = errorsByYaw(scored);
    for (const { yaw: [low, high], faces, before, after } of bins) {
      log(
        `yaw ${low}–${high}°, ${faces} faces of persons left out: off by ${before.all.toFixed(2)} → ${
          after.all.toFixed(2)
        } pixels, where the face is seen ${before.facing.toFixed(2)} → ${after.facing.toFixed(2)}`,
      );
    }
    if (!helps) {
      log(
        `no correction: ${
          samples.length === 0 ? "no true meshes of several persons" : "it does not help on persons left out"
        }`,
      );
    }
    const residual = samples.map((sample) => errorOf(applyCorrection(correction, sample), sample));
    const metadata = {
      ridge: `${ridge}`,
      samples: `${samples.length}`,
      ...(samples.length === 0 ? {} : { before: `${before!.all}`, after: `${meanError(residual).all}` }),
    };
    out.write("correction.safetensors", encodeSafetensors(encodeCorrection(correction), metadata));
    out.json("calibration.json", { ridge, samples: samples.length, used: helps, bins });
  },
});

/** All faces whose frame shows the front of a head, with the true mesh brought into the crop. */
async function readSamples(
  { crops, meshes, angles, truth }: Record<"crops" | "meshes" | "angles" | "truth", Tree>,
): Promise<CalibrationSample[]> {
  const { readMesh } = await import("../faces/geometry.ts");
  const frames = new Map((await truth.json<FrameTruth[]>("truth.json")).map((frame) => [frame.key, frame]));
  const read = await Promise.all(
    keysOf(meshes, ".safetensors").map(async (key): Promise<CalibrationSample[]> => {
      const { photograph, transform } = await crops.json<AlignedFace>(`${key}.json`);
      const frame = frames.get(photograph);
      if (frame === undefined) throw new Error(`${photograph}: truth.json does not know this photograph`);
      if (!frame.hasFace || frame.yaw === null) return [];
      const [posed, vertices, seen] = await Promise.all([
        readMesh(truth, `meshes/${photograph}`),
        readMesh(meshes, key),
        angles.json<Angles>(`${key}.json`),
      ]);
      if (![posed, vertices].every((values) => values.every(Number.isFinite))) {
        throw new Error(`${key}: its mesh or the true one has a coordinate that is not finite`);
      }
      const inCrop = new Float32Array(posed.length);
      for (let i = 0; i < posed.length; i += 3) {
        const { x, y } = toCrop(transform, { x: posed[i]!, y: posed[i + 1]! });
        inCrop.set([x, y, transform.scale * posed[i + 2]!], i);
      }
      return [{ vertices, angles: seen, truth: inCrop, persons: frame.persons, yaw: frame.yaw }];
    }),
  );
  return read.flat();
}
