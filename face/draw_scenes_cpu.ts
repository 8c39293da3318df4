/**
 * The reference of draw_scenes.ts, plain loops over one frame: the face with its UV texture, the shell around it with a
 * photograph's colours, before a background. Tests and benchmarks alone use it.
 */
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import type { HeadShell } from "./head_shell.ts";
import { addBilinear, createImage, type RgbImage } from "./image.ts";
import type { Topology } from "./topology.ts";

/** What to draw. */
export interface Scene {
  /** The face's vertices in pixels of the picture (x right, y down, z away) [3·V]. */
  face: Float32Array;
  topology: Topology;
  /** Square UV texture of the face, lit. */
  texture: RgbImage;
  /** The head around the face; its vertices in pixels of the picture [3·W]. */
  shell: HeadShell;
  /** Where the shell takes its colours. */
  photograph: RgbImage;
  /** Factor on the shell's colours, one a channel: the change of light since the photograph. */
  tint: readonly [number, number, number];
  /** Shown where there is no head; it has the picture's size. */
  background: RgbImage;
}

/** Samples along each side of a pixel. */
const SUPERSAMPLING = 2;

/** Draws a scene at the size of its background, box-filtered from 2×2 samples a pixel. */
export function drawScene({ face, topology, texture, shell, photograph, tint, background }: Scene): RgbImage {
  const { width, height } = background;
  const faceTriangles = topology.triangles.length / 3;
  const raster = rasteriseCpu({
    vertices: Float32Array.from([...face, ...shell.vertices], (value) => value * SUPERSAMPLING),
    triangles: Uint32Array.from([
      ...topology.triangles,
      ...shell.triangles.map((vertex) => vertex + topology.vertexCount),
    ]),
  }, { width: width * SUPERSAMPLING, height: height * SUPERSAMPLING });
  const picture = createImage({ width, height });
  // Plain loops over reused memory: 200 million samples make the training captures.
  const colour = new Float32Array(3);
  const sample = { x: 0, y: 0, weight: 1, out: colour, at: 0 };
  const share = 1 / SUPERSAMPLING ** 2;
  for (let at = 0, y = 0; y < raster.height; y++) {
    const row = Math.floor(y / SUPERSAMPLING) * width;
    for (let x = 0; x < raster.width; x++, at++) {
      const pixel = 3 * (row + Math.floor(x / SUPERSAMPLING));
      const triangle = raster.triangle[at]!;
      if (triangle < 0) {
        for (let c = 0; c < 3; c++) colour[c] = background.data[pixel + c]!;
      } else {
        const a = raster.weights[2 * at]!;
        const b = raster.weights[2 * at + 1]!;
        const rest = 1 - a - b;
        const onFace = triangle < faceTriangles;
        const corners = onFace ? topology.triangles : shell.triangles;
        const places = onFace ? topology.uvs : shell.samples;
        const scale = onFace ? texture.width : 1;
        const first = 3 * (onFace ? triangle : triangle - faceTriangles);
        const i = 2 * corners[first]!;
        const j = 2 * corners[first + 1]!;
        const k = 2 * corners[first + 2]!;
        colour.fill(0);
        sample.x = (a * places[i]! + b * places[j]! + rest * places[k]!) * scale;
        sample.y = (a * places[i + 1]! + b * places[j + 1]! + rest * places[k + 1]!) * scale;
        addBilinear(onFace ? texture : photograph, sample);
        if (!onFace) { for (let c = 0; c < 3; c++) colour[c] = Math.min(1, colour[c]! * tint[c]!); }
      }
      for (let c = 0; c < 3; c++) picture.data[pixel + c] = picture.data[pixel + c]! + share * colour[c]!;
    }
  }
  return picture;
}
