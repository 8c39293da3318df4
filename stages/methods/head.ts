/**
 * Stage `head`: what a person takes away of one reconstructed face: its textures, its overlay, and the textured head as
 * one GLB file, upright and life-size. The paper shows such heads in Figure 4; it does not say how they are stored.
 *
 * The vertices are the mesh network's own, turned upright by the pose that the linear model found: the model's few
 * components would lose likeness.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { photographInCrop, type Rectangle } from "../../face/crop.ts";
import type { Angles } from "../../face/pose.ts";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/**
 * How far a mesh may reach beyond its photograph before the face counts as cut off, in parts of the crop: the mesh's
 * own error.
 */
const SLACK = 0.02;

/** `<key>/face.json`. */
export interface Head {
  /** Which face of its photograph, from 0, left to right. */
  readonly face: number;
  /** The detector's box, in pixels of the imported photograph. */
  readonly box: Rectangle;
  /** How the head is turned, degrees. */
  readonly angles: Angles;
  /** Share of the texture of which the photograph shows something, 0..1; the rest is reconstructed. */
  readonly seen: number;
  /** Borders of the photograph beyond which the face's mesh reaches. */
  readonly cutOff: readonly ("left" | "top" | "right" | "bottom")[];
}

/** Faces → `<key>/{texture,albedo,overlay}.png`, `<key>/head.glb` and `<key>/face.json` ({@link Head}). */
export const makeHeads = defineStage({
  name: "head",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    regressed: "regressed",
    reconstructions: "reconstructions",
    model: "model",
    topology: "assets",
  },
  output: "heads",
  each: ["crops", "unwrapped", "regressed", "reconstructions"],
  batch: 8,
  params: z.strictObject({
    /** Length of one unit of model space, in which a face is about 2.7 wide: 150 mm. */
    metres: z.number().positive().default(0.055),
  }),
  determinism: "bitwise",
  computes: {
    webgpu: "textures carried on beyond their chart",
    cpu: "GLB: file formats; the upright mesh: a small solve; how much was seen: bookkeeping",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => ({
    tf: await (await import("@ftim/gpu/tfjs")).openTfjs(),
    model: await (await import("../faces/training_set.ts")).readFaceModel(inputs),
  }),
  run: async ({ items, params: { metres }, resource: { tf, model: { topology, morphable, size } } }) => {
    const { extendBeyondCharts } = await import("../../face/extend_charts.ts");
    const { encodeGlb } = await import("../../face/glb.ts");
    const { fitShape } = await import("../../face/morphable.ts");
    const { flipYZ, invertPose } = await import("../../face/pose.ts");
    const { readBack } = await import("../../face/read_back.ts");
    const { uvMap } = await import("../../face/uv_map.ts");
    const { readVisibility } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const map = uvMap(topology, size);
    const texels = map.inside.reduce((sum, inside) => sum + inside, 0);
    const faces = await Promise.all(items.map(async ({ key, inputs, out }) => {
      const [regression, visibility, aligned, texture] = await Promise.all([
        readRegression(inputs.regressed, key),
        readVisibility(inputs.unwrapped, key),
        inputs.crops.json<AlignedFace>(`${key}.json`),
        readImage(inputs.reconstructions, `${key}.texture.png`),
      ]);
      return { key, inputs, out, regression, visibility, aligned, texture };
    }));
    // Viewers blend texels, also across the chart's border.
    const extended = tf.tidy(() => {
      const textures = faces.map(({ texture }) => tf.tensor3d(texture.data, [texture.height, texture.width, 3]));
      return extendBeyondCharts(tf, tf.stack(textures) as Tensor4D, map);
    });
    const [maps = new Float32Array()] = await readBack([extended], "head");
    await Promise.all(faces.map(async ({ key, inputs, out, regression, visibility, aligned, texture }, i) => {
      const { vertices, angles } = regression;
      const { face, box, transform } = aligned;
      const upright = invertPose(fitShape(morphable, vertices).pose, flipYZ(vertices));
      const data = maps.subarray(i * texture.data.length, (i + 1) * texture.data.length);
      const glb = await encodeGlb(upright, {
        topology,
        texture: await encodePng({ ...texture, data }),
        metres,
        name: "head",
      });
      out.write(`${key}/head.glb`, glb);
      for (const [name, from] of [["texture", "texture"], ["albedo", "albedo"], ["overlay", "render"]] as const) {
        out.write(`${key}/${name}.png`, await inputs.reconstructions.bytes(`${key}.${from}.png`));
      }
      const head: Head = {
        face,
        box,
        angles,
        seen: visibility.reduce((sum, value) => sum + Math.sign(value), 0) / texels,
        cutOff: sidesBeyond(vertices, { ...photographInCrop(transform), slack: SLACK * transform.size }),
      };
      out.json(`${key}/face.json`, head);
    }));
  },
});

/** The sides of a rectangle beyond which some vertices clearly lie. */
function sidesBeyond(
  vertices: Float32Array,
  { left, top, width, height, slack }: Rectangle & { slack: number },
): Head["cutOff"] {
  const beyond = new Set<Head["cutOff"][number]>();
  for (let i = 0; i < vertices.length; i += 3) {
    const [x, y] = [vertices[i]!, vertices[i + 1]!];
    if (x < left - slack) beyond.add("left");
    if (y < top - slack) beyond.add("top");
    if (x > left + width + slack) beyond.add("right");
    if (y > top + height + slack) beyond.add("bottom");
  }
  return [...beyond].sort();
}
