/**
 * Stage `head`: what a person takes away of one reconstructed face: its textures, its overlay, the textured face mask,
 * upright and life-size, and what is known of it in numbers. The paper shows such faces in Figure 4; it does not say
 * how they are stored. There are two GLB files, because a viewer's own light must not fall on a texture that is lit
 * already.
 *
 * The vertices are the mesh network's own, turned upright by the pose that the linear model found: the model's few
 * components would lose likeness.
 */
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

/**
 * Faces → for each the files named above, and `<key>/face.json` ({@link FaceRecord}). The textures must be defined
 * beyond their chart, because viewers blend texels across its border.
 */
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
  batch: 2,
  computes: {
    cpu:
      "GLB, OBJ, JSON: file formats; the upright mesh: a small solve; how much was seen, and its colours: bookkeeping",
  },
  open: async ({ inputs }) => {
    const { readFaceModel } = await import("../faces/training_set.ts");
    const { readNumbering } = await import("../faces/geometry.ts");
    return { ...await readFaceModel(inputs), numbering: await readNumbering(inputs.topology) };
  },
  run: async ({ items, params: { metres }, resource: { topology, morphable, size, numbering } }) => {
    const { encodeGlb } = await import("../../face/glb.ts");
    const { fitShape } = await import("../../face/morphable.ts");
    const { encodeMtl, encodeObj } = await import("../../face/obj.ts");
    const { flipYZ, invertPose } = await import("../../face/pose.ts");
    const { uvMap } = await import("../../face/uv_map.ts");
    const { readSeenBytes } = await import("../faces/geometry.ts");
    const { withPngComment } = await import("../faces/png_comment.ts");
    const { readRegression } = await import("../faces/regression.ts");
    const { isColourless } = await import("./parts/colourless.ts");
    const { ALBEDO_NOTE, faceRecord } = await import("./parts/face_record.ts");
    const map = uvMap(topology, size);
    const lit = { name: "lit", texture: FILES.texture, unlit: true, note: "The texture as lit in the photograph" };
    const plain = { name: "albedo", texture: FILES.albedo, unlit: false, note: ALBEDO_NOTE };
    const mtl = encodeMtl([lit, plain]);
    await Promise.all(items.map(async ({ key, inputs, out }) => {
      const png = (name: string) => inputs.reconstructions.bytes(`${key}.${name}.png`);
      const [{ vertices, angles, light }, shown, { face, box, transform }, texture, albedo] = await Promise.all([
        readRegression(inputs.regressed, key),
        readSeenBytes(inputs.unwrapped, key),
        inputs.crops.json<AlignedFace>(`${key}.json`),
        png("texture"),
        png("albedo"),
      ]);
      const { pose } = fitShape(morphable, vertices);
      const upright = invertPose(pose, flipYZ(vertices));
      const mesh = { topology, metres, name: "face" };
      out.write(`${key}/${FILES.glb}`, await encodeGlb(upright, { ...mesh, texture, unlit: true }));
      out.write(`${key}/${FILES.albedoGlb}`, await encodeGlb(upright, { ...mesh, texture: albedo, note: ALBEDO_NOTE }));
      out.write(`${key}/${FILES.obj}`, encodeObj(upright, { ...mesh, materials: FILES.mtl, material: lit.name }));
      out.write(`${key}/${FILES.mtl}`, mtl);
      out.write(`${key}/${FILES.texture}`, texture);
      out.write(`${key}/${FILES.albedo}`, withPngComment(albedo, ALBEDO_NOTE));
      out.write(`${key}/${FILES.overlay}`, await png("render"));
      const record: FaceRecord = faceRecord({
        face,
        box,
        angles,
        ...shareSeen(shown.visibility, map),
        colourless: isColourless(shown.texture, shown),
        cutOff: sidesBeyond(vertices, { ...photographInCrop(transform), slack: SLACK * transform.size }),
        transform,
        pose,
        metres,
        vertices,
        light,
        triangles: topology.triangles.length / 3,
        numbering,
        size: pngSide(texture),
        files: FILES,
      });
      out.json(`${key}/face.json`, record);
    }));
  },
});

/** The width that a PNG file's header says (PNG specification, 11.2.1). */
function pngSide(png: Uint8Array): number {
  return new DataView(png.buffer, png.byteOffset).getUint32(16);
}

/** Shares of the chart's texels that are seen at all: of all of them, and of each half. */
function shareSeen(
  visibility: Uint8Array,
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
