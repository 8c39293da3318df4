/**
 * The first half of the 3DMM regressor `facemesh`: aligned crop → posed vertices, by the face mesh network. The paper
 * uses a fixed DECA encoder, whose weights are in no package (`deca.ts` runs it). `regress` makes the coefficients.
 *
 * The network starts at the detector's box, or at the mesh of an earlier crop, and looks again where it found the face,
 * upright. The last time it looks at the mirror image, too: the mean of both meshes is nearer to the truth than either
 * (on captures of made heads, once both are corrected, by 7 to 8 %). A crop in which it finds no face is dropped by
 * name, since a texture unwrapped from a wrong mesh would teach background.
 */
import { z } from "zod";
import { toCrop } from "../../face/crop.ts";
import type { Square } from "../../nets/facemesh_tracking.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../data/align.ts";

/** Aligned crops → `<key>.safetensors` with `vertices` [V,3] in crop pixels (z away) and `score` [1]. */
export const meshFaces = defineStage({
  name: "mesh",
  module: import.meta.url,
  inputs: { crops: "aligned", network: "assets", topology: "assets" },
  output: "meshes",
  each: ["crops"],
  batch: 16,
  params: z.strictObject({
    /** Least probability that the crop shows a face. */
    minScore: z.number().min(0).max(1).default(0.5),
  }),
  determinism: { atol: 1e-3, rtol: 0 },
  computes: {
    webgpu: "cutting out; the face mesh network",
    cpu: "following the mesh from pass to pass, the mean of two: bookkeeping",
  },
  resources: { gpu: true },
  open: async ({ inputs: { network, topology } }) => {
    const { openFaceMesh } = await import("../../nets/facemesh.ts");
    const { readSymmetricTopology } = await import("../faces/geometry.ts");
    const { readGraphModel } = await import("../faces/graph_models.ts");
    const { mirror } = await readSymmetricTopology(topology);
    return { network: await openFaceMesh(await readGraphModel(network)), mirror };
  },
  close: ({ network }) => network.dispose(),
  run: async ({ items, params: { minScore }, resource: { network, mirror } }) => {
    const { readPixels } = await import("../faces/photograph.ts");
    const { trackMeshes } = await import("../../nets/facemesh_tracking.ts");
    const { encodeMesh } = await import("../faces/geometry.ts");
    const crops = await Promise.all(items.map(({ key, inputs }) => readPixels(inputs.crops, `${key}.png`)));
    const starts = await Promise.all(items.map(({ key, inputs }) => startOf(inputs.crops, key)));
    const meshes = await trackMeshes(network, crops, { starts, mirror });
    for (const [i, { key, out, skip }] of items.entries()) {
      const { vertices, score } = meshes[i]!;
      if (score < minScore) {
        skip(`${key}: the mesh network finds no face in the crop (score ${score.toFixed(2)} < ${minScore})`);
        continue;
      }
      out.write(`${key}.safetensors`, encodeMesh({ vertices, score }));
    }
  },
});

/** The square around what the crop is about, with the margin that the network expects, in pixels of the crop. */
async function startOf(crops: Tree, key: string): Promise<Square> {
  const { box, outline, transform } = await crops.json<AlignedFace>(`${key}.json`);
  const { left, top, width, height } = outline ?? box;
  const { x, y } = toCrop(transform, { x: left + width / 2, y: top + height / 2 });
  return { x, y, side: 1.5 * transform.scale * (width + height) / 2, angle: 0 };
}
