/**
 * Figure 4 of the paper, the ablation seen: eyes and nose of test faces, from the photograph and rendered by variants
 * of the method. The paper chose its faces by hand; here they are spread evenly over all faces.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import { keysOf } from "../faces/keys_of.ts";
import { fontFileOf } from "./parts/font_file.ts";

/** Landmarks around which each detail is cut, and the side of the cut in parts of the mesh's larger side. */
const DETAILS = [{ name: "eyes", side: 0.62 }, { name: "nose", side: 0.4 }] as const;

/** Rows below the photograph. */
const ROWS = [
  ["map", "Without FTIM"],
  ["plain", "No MRF, symmetry"],
  ["full", "Full"],
] as const;

/** Crops, meshes and each variant's `<key>.render.png` → `figure4.png`. `font`: one TrueType file. */
export const figure4 = defineStage({
  name: "figure4",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    meshes: "meshes",
    map: "reconstructions",
    plain: "reconstructions",
    full: "reconstructions",
    topology: "assets",
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({ faces: z.int().min(1).default(6) }),
  determinism: "bitwise",
  computes: { webgpu: "cutting out and resizing", cpu: "contact sheets: file formats" },
  resources: { gpu: true },
  run: async ({ inputs, params: { faces }, out }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { readBack } = await import("@ftim/gpu/ops/read-back");
    const { cropPhotographs } = await import("../../nets/crop_photographs.ts");
    const { contactSheet, spread } = await import("./parts/contact_sheet.ts");
    const { readLandmarks, readMesh } = await import("../faces/geometry.ts");
    const { encodePng, readImage } = await import("../faces/photograph.ts");
    const landmarks = await readLandmarks(inputs.topology);
    const fontFile = fontFileOf(inputs.font);
    const ending = ".render.png";
    const keys = keysOf(inputs.full, ending)
      .filter((key) => ROWS.every(([role]) => inputs[role].has(key + ending)));
    if (keys.length === 0) throw new Error("figure4: no face was rendered by every variant");
    const chosen = spread(keys.length, faces).map((i) => keys[i]!);
    const rows = [
      { label: "Input", tree: inputs.crops, end: ".png" },
      ...ROWS.map(([role, label]) => ({ label, tree: inputs[role], end: ending })),
    ];
    // Row by row, in each all details of all faces.
    const details = await Promise.all(rows.flatMap(({ tree, end }) =>
      chosen.map(async (key) => {
        const [image, mesh] = await Promise.all([readImage(tree, key + end), readMesh(inputs.meshes, key)]);
        return DETAILS.map(({ name, side }) => ({ image, box: detailBox(mesh, { vertices: landmarks[name], side }) }));
      })
    ));
    const tf = await openTfjs();
    const area = 3 * CELL ** 2;
    const cut = cropPhotographs(tf, details.flat(), { width: CELL, height: CELL });
    const [values = new Float32Array()] = await readBack([cut], "figure4");
    const pictures = await Promise.all(
      details.flat().map((_, i) =>
        encodePng({ width: CELL, height: CELL, data: values.subarray(i * area, (i + 1) * area) })
      ),
    );
    const columns = DETAILS.length * chosen.length;
    out.write(
      "figure4.png",
      await contactSheet({
        headings: chosen.flatMap((key) => DETAILS.map(({ name }) => `${key} ${name}`)),
        rows: rows.map(({ label }, row) => ({ label, pictures: pictures.slice(row * columns, (row + 1) * columns) })),
        cell: CELL,
        fontFile,
      }),
    );
  },
});

/** Side of a picture in pixels. */
const CELL = 168;

/** The square around some vertices of a mesh, in pixels of the crop. */
function detailBox(mesh: Float32Array, { vertices, side }: { vertices: readonly number[]; side: number }) {
  const range = (axis: number) => {
    const values = mesh.filter((_, i) => i % 3 === axis);
    return Math.max(...values) - Math.min(...values);
  };
  const length = side * Math.max(range(0), range(1));
  const centre = (axis: number) => vertices.reduce((sum, v) => sum + mesh[3 * v + axis]!, 0) / vertices.length;
  return { left: centre(0) - length / 2, top: centre(1) - length / 2, width: length, height: length };
}
