/**
 * The mesh of MediaPipe's face mesh network: 468 vertices, parsed from the text of `@vladmandic/human`'s
 * `src/face/facemeshcoords.ts` (Apache-2.0). The chart there is v-down already (forehead 0.107, chin 0.954), image-left
 * is u-left, and eyes are covered.
 */
import { openMouth } from "../face/mouth.ts";
import { createTopology, type FaceLandmarks, type SymmetricTopology } from "../face/topology.ts";
import { orientTriangles } from "../face/winding.ts";

/** Whose numbers its vertices have. */
export const FACEMESH_NUMBERING = "MediaPipe Face Mesh, 468 points";

/** What its vertices mark. */
export const FACEMESH_LANDMARKS: FaceLandmarks = {
  eyes: [33, 133, 362, 263],
  noseTip: 1,
  mouthCorners: [61, 291],
  nose: [1, 2, 98, 327, 6],
};

/**
 * Reads a mesh from the source text that holds `UV468` and `TRI468` array literals.
 *
 * The packaged chart is symmetric to within 0.0012 (a third of a texel at 256²). UVs are a layout and nothing else, so
 * each vertex is moved to the mean of itself and its twin's reflection; a UV map is then mirrored by reversing its
 * rows.
 *
 * @param options.mouth How far the closed mouth is opened in the chart and given triangles (`openMouth`), in UV units;
 *   0.06 is 15 texels at 256², 0 leaves the packaged mesh with its hole.
 * @throws Error if an array is absent or malformed, or the chart has no mirror symmetry.
 */
export function parseFacemesh(source: string, { mouth = 0.06 }: { mouth?: number } = {}): SymmetricTopology {
  const uvs = Float32Array.from(readNumbers(source, "UV468"));
  const triangles = Uint32Array.from(readNumbers(source, "TRI468"));
  const mesh = { triangles: orientTriangles(triangles, uvs), uvs };
  return createTopology(mouth > 0 ? openMouth(mesh, { height: mouth }) : mesh);
}

function readNumbers(source: string, name: string): number[] {
  const start = source.search(new RegExp(`\\b${name}\\b[^=;]*=\\s*\\[`));
  if (start < 0) throw new Error(`The mesh source has no array ${name}`);
  const open = source.indexOf("=", start) + 1;
  const close = source.indexOf("];", open);
  if (close < 0) throw new Error(`The array ${name} in the mesh source does not end`);
  const body = source.slice(open, close).replace(/\/\/[^\n]*/g, "").replace(/[[\]\s]+/g, " ");
  const numbers = body.split(",").map((word) => word.trim()).filter((word) => word !== "").map(Number);
  if (numbers.length === 0 || numbers.some((value) => !Number.isFinite(value))) {
    throw new Error(`The array ${name} in the mesh source holds something that is no number`);
  }
  return numbers;
}
