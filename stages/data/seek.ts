/**
 * Stage `seek`: each face once more, where the detectors of the comparators' authors see it, for their crops start from
 * there. Deng et al. and DECA both name MTCNN: it gives five points and a box. It looks at the whole photograph, and of
 * what it finds the box that overlaps the face's own most is that face.
 *
 * Where the comparators' papers are silent, for their code leaves such a face out: a face that MTCNN does not find has
 * the box of our detector and the points of its mesh, so that all methods are scored on the same faces. The file says
 * which it is.
 */
import { z } from "zod";
import { toPhotograph } from "../../face/crop.ts";
import type { FaceLandmarks } from "../../face/topology.ts";
import type { SoughtFace } from "../../nets/comparators/comparator.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { AlignedFace } from "./align.ts";

/** Faces, their photographs and meshes, and MTCNN's three files → `<key>.json`, a `SoughtFace`. */
export const seekFaces = defineStage({
  name: "seek",
  module: import.meta.url,
  inputs: { crops: "aligned", meshes: "meshes", images: "images", topology: "assets", network: "assets" },
  output: "sought",
  each: ["crops", "meshes"],
  batch: 16,
  params: z.strictObject({
    /** Least overlap (intersection over union) of MTCNN's box with the face's own, 0..1. */
    overlap: z.number().min(0).max(1).default(0.2),
  }),
  determinism: { atol: 1e-2, rtol: 1e-3 },
  computes: { webgpu: "MTCNN", cpu: "overlapping boxes: bookkeeping" },
  resources: { gpu: true },
  open: async ({ inputs: { network } }) => {
    const { openMtcnn } = await import("../../nets/mtcnn.ts");
    const { bytesSource } = await import("../../nets/files/source.ts");
    const file = async (name: string) => bytesSource(new Uint8Array(await network.bytes(`mtcnn/${name}`)), name);
    return await openMtcnn({
      first: await file("pnet.pt"),
      second: await file("rnet.pt"),
      third: await file("onet.pt"),
    });
  },
  close: (mtcnn) => mtcnn.dispose(),
  run: async ({ items, inputs: { images, topology }, params: { overlap }, resource: mtcnn }) => {
    const { readLandmarks } = await import("../faces/geometry.ts");
    const landmarks = await readLandmarks(topology);
    const { readPixels } = await import("../faces/photograph.ts");
    const faces = await Promise.all(items.map(async (item) => {
      const about = await item.inputs.crops.json<AlignedFace>(`${item.key}.json`);
      return { item, about, inputs: item.inputs };
    }));
    for (const [photograph, own] of Map.groupBy(faces, ({ about }) => about.photograph)) {
      const found = (await mtcnn.detect(await readPixels(images, `${photograph}.png`))).map(
        ({ box: [left, top, right, bottom], points }): SoughtFace => ({
          box: { left, top, width: right - left, height: bottom - top },
          points,
          by: "MTCNN",
        }),
      );
      for (const { item: { key, out }, about, inputs } of own) {
        const shared = found.map((one) => overlapOf(one.box, about.box));
        const best = shared.indexOf(Math.max(...shared));
        out.json(
          `${key}.json`,
          (shared[best] ?? 0) >= overlap
            ? found[best]!
            : await meshPoints(key, { about, meshes: inputs.meshes, landmarks }),
        );
      }
    }
  },
});

/** The face without MTCNN. */
async function meshPoints(
  key: string,
  { about: { box, transform }, meshes, landmarks }: { about: AlignedFace; meshes: Tree; landmarks: FaceLandmarks },
): Promise<SoughtFace> {
  const { fivePointsOfMesh } = await import("../../nets/five_points.ts");
  const { readMesh } = await import("../faces/geometry.ts");
  const points = fivePointsOfMesh(await readMesh(meshes, key), landmarks);
  return {
    box: { left: box.left, top: box.top, width: box.width, height: box.height },
    points: [0, 1, 2, 3, 4].map((i) => {
      const { x, y } = toPhotograph(transform, { x: points[2 * i]!, y: points[2 * i + 1]! });
      return { x: x - 0.5, y: y - 0.5 };
    }),
    by: "the mesh",
  };
}

type Box = SoughtFace["box"];

/** Intersection over union, 0..1. */
function overlapOf(a: Box, b: Box): number {
  const side = (start: "left" | "top", length: "width" | "height") =>
    Math.max(0, Math.min(a[start] + a[length], b[start] + b[length]) - Math.max(a[start], b[start]));
  const shared = side("left", "width") * side("top", "height");
  return shared / (a.width * a.height + b.width * b.height - shared);
}
