/**
 * What comes of one photograph, for the README: a face, what of its texture the photograph shows, the completed
 * texture, and the head turned to both sides. The paper has no such figure.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { Pose } from "../../face/pose.ts";
import { fontFileOf } from "./parts/font_file.ts";

/** Yaws that the head is turned by, in degrees, as seen from the camera. */
const TURNS = [-35, 35] as const;

/** Crops, incomplete textures, meshes and our reconstructions → `one_face.png`. `font`: one TrueType file. */
export const oneFace = defineStage({
  name: "one_face",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    reconstructions: "reconstructions",
    topology: "assets",
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({
    /** Key of the face; a face that is not there is an error. */
    face: z.string(),
    /** Side of each picture in pixels. */
    cell: z.int().min(32).default(224),
  }),
  determinism: "bitwise",
  computes: { webgpu: "rendering", cpu: "contact sheets: file formats" },
  resources: { gpu: true },
  run: async ({ inputs, params: { face, cell }, out }) => {
    const { flipYZ, poseToCrop, rotationFromAngles } = await import("../../face/pose.ts");
    const { renderPortraits } = await import("../../face/render_portraits.ts");
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { readMesh, readTopology } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const { contactSheet } = await import("./parts/contact_sheet.ts");
    const topology = await readTopology(inputs.topology);
    const texture = await readImage(inputs.reconstructions, `${face}.texture.png`);
    const vertices = await readMesh(inputs.meshes, face);
    const { width, height } = await readImage(inputs.crops, `${face}.png`);
    const background = new Float32Array(3 * width * height).fill(1);
    const view = flipYZ(vertices);
    const portraits = TURNS.map((yaw) => ({
      name: face,
      vertices: poseToCrop(turnInPlace(view, rotationFromAngles({ yaw, pitch: 0, roll: 0 })), view),
      texture: texture.data,
      background,
    }));
    const options = { topology, size: texture.width, width, height, clip: true };
    const rendered = await renderPortraits(await openTfjs(), portraits, options);
    const turned = await Promise.all(rendered.map(({ data }) => encodePng({ width, height, data })));
    const pictures = [
      await inputs.crops.bytes(`${face}.png`),
      await inputs.unwrapped.bytes(`${face}.texture.png`),
      await inputs.reconstructions.bytes(`${face}.texture.png`),
      ...turned,
    ];
    const headings = ["Photograph", "Unwrapped texture", "Completed texture", "Turned left", "Turned right"];
    const rows = [{ label: "", pictures }];
    out.write("one_face.png", await contactSheet({ headings, rows, cell, fontFile: fontFileOf(inputs.font) }));
  },
});

/** The pose that turns points (xyz triples) about their own mean. */
function turnInPlace(points: Float32Array, rotation: Float64Array): Pose {
  const mean = [0, 1, 2].map((axis) =>
    points.reduce((sum, value, i) => i % 3 === axis ? sum + value : sum, 0) / (points.length / 3)
  );
  const row = (k: number) => mean.reduce((sum, value, axis) => sum + rotation[3 * k + axis]! * value, 0);
  return { scale: 1, rotation, translation: Float64Array.from(mean, (value, k) => value - row(k)) };
}
