/**
 * Putting a face where the mesh network expects it. The network was trained on squares around an upright face with a
 * quarter of its size as margin on each side; a detector's crop is only near that. As MediaPipe's tracker does from
 * frame to frame, the mesh of one pass gives the square of the next: centred on the mesh, turned with the eyes, 1.5 ×
 * its size. A network errs differently on a face and on its mirror image, so that the mean of both errs less.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Pixels } from "../face/pixels.ts";
import { mirrorVertices } from "../face/topology.ts";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { type FaceMesh, FACEMESH_SIZE as SIZE, type FaceMeshResult } from "./facemesh.ts";
import { cutTurnedSquares, type TurnedSquare } from "./turned_squares.ts";

/** A turned square in an image, pixels. */
export interface Square {
  x: number;
  y: number;
  side: number;
  /** Radians by which the face is turned clockwise in the image. */
  angle: number;
}

/** Side of the square over the larger side of the mesh's box. */
const MARGIN = 1.5;
/** Outer corners of the eyes in MediaPipe's mesh: image-left, image-right. */
const EYES = [33, 263] as const;
/** Top of the forehead and chin. */
const MIDLINE = [10, 152] as const;

/** Faces on the device at a time: 28 MB of pictures, twice as much with their mirror images. */
const AT_ONCE = 64;
/** Samples along each side of a pixel of the network's input. */
const SAMPLES = 2;

/**
 * Meshes of faces in images.
 *
 * @param images a face each; several may be of one image
 * @param options.starts a first square for each image
 * @param options.passes network passes; the first places the face, the later ones measure it
 * @param options.mirror each vertex's twin; with it the last pass looks at the mirror image, too, and gives the mean
 * @returns vertices in pixels of the given image (z in the same unit)
 */
export async function trackMeshes(
  network: Pick<FaceMesh, "predict">,
  images: readonly Pixels[],
  { starts, passes = 3, mirror }: { starts: readonly Square[]; passes?: number; mirror?: Uint32Array },
): Promise<FaceMeshResult[]> {
  const tf = await openTfjs();
  let squares = [...starts];
  let results: FaceMeshResult[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const all = images.map((image, i) => turned(image, squares[i]!));
    const last = pass === passes - 1;
    const found: FaceMeshResult[] = [];
    for (let first = 0; first < all.length; first += AT_ONCE) {
      const cut = cutTurnedSquares(tf, all.slice(first, first + AT_ONCE), { side: SIZE });
      found.push(...await (last && mirror ? predictBothWays(tf, network, cut, mirror) : network.predict(cut)));
      cut.dispose();
    }
    results = found.map(({ vertices, score }, i) => ({ vertices: fromSquare(vertices, squares[i]!), score }));
    squares = results.map(({ vertices }) => squareAround(vertices));
  }
  return results;
}

/** The mean of what the network finds in pictures and in their mirror images, all read back at once. */
async function predictBothWays(
  tf: Tfjs,
  network: Pick<FaceMesh, "predict">,
  cut: Tensor4D,
  mirror: Uint32Array,
): Promise<FaceMeshResult[]> {
  const both = tf.tidy(() => tf.concat([cut, tf.reverse(cut, 2)]));
  const found = await network.predict(both);
  both.dispose();
  const count = found.length / 2;
  return found.slice(0, count).map(({ vertices, score }, i) => {
    const other = found[count + i]!;
    const back = mirrorVertices(other.vertices, { mirror, about: SIZE / 2 });
    return { vertices: vertices.map((value, k) => (value + back[k]!) / 2), score: (score + other.score) / 2 };
  });
}

/** The square that the network expects around a mesh. */
export function squareAround(vertices: Float32Array): Square {
  const between = ([from, to]: readonly [number, number], axis: number) =>
    vertices[3 * to + axis]! - vertices[3 * from + axis]!;
  // The line of the eyes and, turned a quarter, the midline; each counts by its length, for in a profile the eyes
  // coincide.
  const angle = Math.atan2(
    between(EYES, 1) - between(MIDLINE, 0),
    between(EYES, 0) + between(MIDLINE, 1),
  );
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [least, most] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (let i = 0; i < vertices.length; i += 3) {
    const turned = [cos * vertices[i]! + sin * vertices[i + 1]!, cos * vertices[i + 1]! - sin * vertices[i]!];
    least = least.map((value, k) => Math.min(value, turned[k]!));
    most = most.map((value, k) => Math.max(value, turned[k]!));
  }
  const [u, v] = [0, 1].map((k) => (least[k]! + most[k]!) / 2) as [number, number];
  const side = MARGIN * Math.max(most[0]! - least[0]!, most[1]! - least[1]!);
  return { x: cos * u - sin * v, y: sin * u + cos * v, side, angle };
}

/** The square as the device cuts it out: upright, outside of the image its edge goes on. */
function turned(image: Pixels, { x, y, side, angle }: Square): TurnedSquare {
  const scale = side / SIZE;
  return { image, x, y, a: Math.cos(angle) * scale, b: Math.sin(angle) * scale, samples: SAMPLES };
}

/** Vertices in pixels of the cut square → pixels of the image. */
function fromSquare(vertices: Float32Array, { x, y, side, angle }: Square): Float32Array {
  const scale = side / SIZE;
  const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  const out = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    const [u, v] = [vertices[i]! - SIZE / 2, vertices[i + 1]! - SIZE / 2];
    out.set([x + cos * u - sin * v, y + sin * u + cos * v, scale * vertices[i + 2]!], i);
  }
  return out;
}
