/**
 * How a large photograph of small faces lies: the mesh network looks at the places that may be faces, from each side.
 * Turning the photograph and looking for faces in it again would take four times as long as finding them.
 */
import type { BytePixels } from "../../../face/pixels.ts";
import type { Detector } from "../../../nets/detector.ts";
import type { FaceMesh } from "../../../nets/facemesh.ts";
import type { Square } from "../../../nets/facemesh_tracking.ts";

/** How to look. */
export interface SmallFaces {
  readonly detector: Detector;
  readonly mesh: FaceMesh;
  /** Width of the smallest faces that are looked for, in pixels. */
  readonly smallest: number;
}

/** Least score of a place that may be a face: of faces that lie on their side, most have it. */
const MAYBE = 0.3;
/** So many places are looked at, the best. */
const PLACES = 16;
/** Least score of a mesh that counts as a face. */
const FACE = 0.5;
/** Side of the square around a place, over the box's. */
const MARGIN = 1.5;

/** Quarter turns clockwise after which most of the faces stand upright; 0 where there is none. */
export async function turnsOfSmallFaces(
  image: BytePixels,
  { detector, mesh, smallest }: SmallFaces,
): Promise<number> {
  const { squareAround, trackMeshes } = await import("../../../nets/facemesh_tracking.ts");
  const places = (await detector.search(image, { smallest, minScore: MAYBE, minWindowScore: MAYBE })).slice(0, PLACES);
  if (places.length === 0) return 0;
  const starts = places.flatMap(({ left, top, width, height }) =>
    [0, 1, 2, 3].map((turns): Square => {
      const side = MARGIN * (width + height) / 2;
      return { x: left + width / 2, y: top + height / 2, side, angle: -turns * Math.PI / 2 };
    })
  );
  const meshes = await trackMeshes(mesh, starts.map(() => image), { starts });
  const votes = [0, 0, 0, 0];
  for (let first = 0; first < meshes.length; first += 4) {
    const [best] = meshes.slice(first, first + 4).toSorted((a, b) => b.score - a.score);
    if (!(best!.score >= FACE)) continue;
    // a mesh that began askew has followed the face
    const turns = -Math.round(squareAround(best!.vertices).angle / (Math.PI / 2));
    votes[(turns + 4) % 4]! += best!.score;
  }
  return votes.indexOf(Math.max(...votes));
}
