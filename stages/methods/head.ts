/**
 * Stage `head`: what a person takes away of one reconstructed face: its textures, its overlay, the textured face mask,
 * upright and life-size, and what is known of it in numbers. The paper shows such faces in Figure 4; it does not say
 * how they are stored. There are two GLB files, because a viewer's own light must not fall on a texture that is lit
 * already.
 *
 * The vertices are the mesh network's own, turned upright by the pose that the linear model found: the model's few
 * components would lose likeness.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { photographInCrop, type Rectangle } from "../../face/crop.ts";
import { defineStage } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";
import type { FaceRecord, Head } from "./parts/face_record.ts";

/**
 * How far a mesh may reach beyond its photograph before the face counts as cut off, in parts of the crop: the mesh's
 * own error.
 */
const SLACK = 0.02;

export type { FaceRecord, Head };

/** Names of a face's files by what they are; all but the textures are of the same mesh. */
const FILES = {
  texture: "texture.png",
  albedo: "albedo.png",
  overlay: "overlay.png",
  glb: "face.glb",
  albedoGlb: "face_albedo.glb",
  obj: "face.obj",
  mtl: "face.mtl",
} as const;

/** Faces → for each the files named above, and `<key>/face.json` ({@link FaceRecord}). */
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
  params: z.strictObject({
    /** Length of one unit of model space, in which a face is about 2.7 wide: 150 mm. */
    metres: z.number().positive().default(0.055),
  }),
  determinism: "bitwise",
  batch: 8,
  computes: {
    webgpu: "textures carried on beyond their chart",
    cpu: "GLB, OBJ, JSON: file formats; the upright mesh: a small solve; how much was seen: bookkeeping",
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
    const { encodeMtl, encodeObj } = await import("../../face/obj.ts");
    const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
    const { flipYZ, invertPose } = await import("../../face/pose.ts");
    const { uvMap } = await import("../../face/uv_map.ts");
    const { readVisibility } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { withPngComment } = await import("../faces/png_comment.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { ALBEDO_NOTE, faceRecord } = await import("./parts/face_record.ts");
    const map = uvMap(topology, size);
    const lit = { name: "lit", texture: FILES.texture, unlit: true, note: "The texture as lit in the photograph" };
    const plain = { name: "albedo", texture: FILES.albedo, unlit: false, note: ALBEDO_NOTE };
    const mtl = encodeMtl([lit, plain]);
    const faces = await Promise.all(items.map(async ({ key, inputs, out }) => {
      const [regression, visibility, aligned, ...maps] = await Promise.all([
        readRegression(inputs.regressed, key),
        readVisibility(inputs.unwrapped, key),
        inputs.crops.json<AlignedFace>(`${key}.json`),
        ...GLBS.map(([from]) => readImage(inputs.reconstructions, `${key}.${from}.png`)),
      ]);
      return { key, inputs, out, regression, visibility, aligned, maps };
    }));
    // Viewers blend texels, also across the chart's border.
    const extended = tf.tidy(() => {
      const maps = faces.flatMap(({ maps }) => maps.map(({ data }) => tf.tensor3d(data, [size, size, 3])));
      return extendBeyondCharts(tf, tf.stack(maps) as Tensor4D, map);
    });
    const [bytes = new Uint8Array()] = await readPixelBytes(tf, [extended], "head");
    await Promise.all(faces.map(async ({ key, inputs, out, regression, visibility, aligned }, i) => {
      const { vertices, angles, light } = regression;
      const { face, box, transform } = aligned;
      const { pose } = fitShape(morphable, vertices);
      const upright = invertPose(pose, flipYZ(vertices));
      const mesh = { topology, metres, name: "face" };
      await Promise.all(GLBS.map(async ([, to, look], k) => {
        const length = 3 * size * size;
        const data = bytes.subarray((i * GLBS.length + k) * length, (i * GLBS.length + k + 1) * length);
        const texture = await encodePng({ width: size, height: size, data });
        const note = look.unlit ? {} : { note: ALBEDO_NOTE };
        out.write(`${key}/${to}`, await encodeGlb(upright, { ...mesh, texture, ...look, ...note }));
      }));
      out.write(`${key}/${FILES.obj}`, encodeObj(upright, { ...mesh, materials: FILES.mtl, material: lit.name }));
      out.write(`${key}/${FILES.mtl}`, mtl);
      const png = (name: string) => inputs.reconstructions.bytes(`${key}.${name}.png`);
      out.write(`${key}/${FILES.texture}`, await png("texture"));
      out.write(`${key}/${FILES.albedo}`, withPngComment(await png("albedo"), ALBEDO_NOTE));
      out.write(`${key}/${FILES.overlay}`, await png("render"));
      const record: FaceRecord = faceRecord({
        face,
        box,
        angles,
        ...shareSeen(visibility, map),
        cutOff: sidesBeyond(vertices, { ...photographInCrop(transform), slack: SLACK * transform.size }),
        transform,
        pose,
        metres,
        vertices,
        light,
        triangles: topology.triangles.length / 3,
        size,
        files: FILES,
      });
      out.json(`${key}/face.json`, record);
    }));
  },
});

/** The two models: which texture they show, their names, and whether light is in them already. */
const GLBS = [
  ["texture", FILES.glb, { unlit: true }],
  ["albedo", FILES.albedoGlb, { unlit: false }],
] as const;

/** Shares of the chart's texels that are seen at all: of all of them, and of each half. */
function shareSeen(
  visibility: Float32Array,
  { inside, size }: { readonly inside: Uint8Array; readonly size: number },
): Pick<FaceRecord, "seen" | "seenHalves"> {
  const counts = { left: [0, 0], right: [0, 0] };
  visibility.forEach((value, texel) => {
    const half = counts[texel % size < size / 2 ? "left" : "right"];
    half[0] = half[0]! + Math.sign(value);
    half[1] = half[1]! + inside[texel]!;
  });
  const [[left, ofLeft], [right, ofRight]] = [counts.left, counts.right] as [[number, number], [number, number]];
  return { seen: (left + right) / (ofLeft + ofRight), seenHalves: { left: left / ofLeft, right: right / ofRight } };
}

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
