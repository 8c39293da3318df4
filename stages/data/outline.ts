/**
 * Stage `outline`: where each face's mesh lies in its photograph. A detector's box ends at the hairline of one face and
 * at the brows of the next, so a crop around it cuts some foreheads off; `align` cuts again around the mesh.
 */
import { boundsOf } from "../../face/bounds.ts";
import { toPhotograph } from "../../face/crop.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import type { AlignedFace } from "./align.ts";
import type { DetectedFace, Detection } from "./detect.ts";

/**
 * Detections and the meshes in their crops → the detections, of which each face with a mesh has its `outline`. A face
 * without a mesh stays as it is.
 */
export const outlineFaces = defineStage({
  name: "outline",
  module: import.meta.url,
  inputs: { detections: "detections", crops: "aligned", meshes: "meshes" },
  output: "detections",
  each: ["detections"],
  batch: 64,
  determinism: "bitwise",
  computes: { cpu: "bounding boxes: bookkeeping" },
  run: async ({ items, inputs: found }) => {
    const { readMesh } = await import("../faces/geometry.ts");
    await Promise.all(items.map(async ({ key, inputs, out }) => {
      const { faces, ...about } = await inputs.detections.json<Detection>(`${key}.json`);
      const outlined = faces.map((face, i) => withOutline(`${key}/${i}`, { face, ...found, readMesh }));
      out.json(`${key}.json`, { ...about, faces: await Promise.all(outlined) } satisfies Detection);
    }));
  },
});

/** A face with its outline, if it has a mesh. */
async function withOutline(
  key: string,
  { face, crops, meshes, readMesh }: {
    face: DetectedFace;
    crops: Tree;
    meshes: Tree;
    readMesh: (meshes: Tree, key: string) => Promise<Float32Array>;
  },
): Promise<DetectedFace> {
  if (!meshes.has(`${key}.safetensors`)) return face;
  const [{ transform }, vertices] = await Promise.all([
    crops.json<AlignedFace>(`${key}.json`),
    readMesh(meshes, key),
  ]);
  // Such a mesh is left out, by name, where it is unwrapped.
  if (!vertices.every(Number.isFinite)) return face;
  const bounds = boundsOf(vertices);
  const { x: left, y: top } = toPhotograph(transform, { x: bounds.left, y: bounds.top });
  const { x: right, y: bottom } = toPhotograph(transform, { x: bounds.right, y: bounds.bottom });
  return { ...face, outline: { left, top, width: right - left, height: bottom - top } };
}
