/**
 * Figure 4 of the paper, the ablation seen: eyes and nose of test faces, from the photograph and rendered by variants
 * of the method. The paper chose its faces by hand; here they are spread evenly over all faces.
 */
import { z } from "zod";
import { defineStage, type Tree } from "@ftim/pipeline";
import { fontFileOf } from "./parts/font_file.ts";

/**
 * Vertices of the face mesh around which each detail is cut, and the side of the cut in parts of the mesh's larger
 * side.
 */
const DETAILS = [
  { name: "eyes", vertices: [33, 133, 362, 263], side: 0.62 },
  { name: "nose", vertices: [1, 2, 98, 327, 6], side: 0.4 },
] as const;

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
    font: "assets",
  },
  output: "figure",
  params: z.strictObject({ faces: z.int().min(1).default(6) }),
  determinism: "bitwise",
  computes: { cpu: "contact sheets: file formats" },
  run: async ({ inputs, params: { faces }, out }) => {
    const { contactSheet, spread } = await import("./parts/contact_sheet.ts");
    const { readMesh } = await import("../faces/geometry.ts");
    const fontFile = fontFileOf(inputs.font);
    const ending = ".render.png";
    const keys = inputs.full.paths.filter((path) => path.endsWith(ending)).map((path) => path.slice(0, -ending.length))
      .filter((key) => ROWS.every(([role]) => inputs[role].has(key + ending)));
    if (keys.length === 0) throw new Error("figure4: no face was rendered by every variant");
    const chosen = spread(keys.length, faces).map((i) => keys[i]!);
    const columns = await Promise.all(chosen.flatMap((key) =>
      DETAILS.map(async ({ name, vertices, side }) => {
        const box = detailBox(await readMesh(inputs.meshes, key), { vertices, side });
        return {
          heading: `${key} ${name}`,
          cut: (tree: Tree, end: string) => cutDetail(tree, { path: key + end, box }),
        };
      })
    ));
    const row = async (label: string, { tree, end }: { tree: Tree; end: string }) => ({
      label,
      pictures: await Promise.all(columns.map(({ cut }) => cut(tree, end))),
    });
    out.write(
      "figure4.png",
      await contactSheet({
        headings: columns.map(({ heading }) => heading),
        rows: [
          await row("Input", { tree: inputs.crops, end: ".png" }),
          ...await Promise.all(ROWS.map(([role, label]) => row(label, { tree: inputs[role], end: ending }))),
        ],
        cell: 168,
        fontFile,
      }),
    );
  },
});

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

async function cutDetail(
  tree: Tree,
  { path, box }: { path: string; box: { left: number; top: number; width: number; height: number } },
): Promise<Uint8Array> {
  const { resampleCpu } = await import("../../nets/resample_cpu.ts");
  const { encodePng, readImage } = await import("../faces/photograph.ts");
  return await encodePng(resampleCpu(await readImage(tree, path), { box, width: 168, height: 168 }));
}
