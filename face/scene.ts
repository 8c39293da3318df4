/**
 * A head before a background, as a picture: the face with its UV texture, the shell around it with a photograph's colours.
 * It makes training captures with known truth, so it is drawn on the CPU in plain loops and shares no code path with the
 * render operator that the method is scored by.
 *
 * @module
 */
import { rasteriseCpu } from "../gpu/raster_cpu.ts";
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
  const side = texture.width;
  const picture = createImage({ width, height });
  const colour = new Float32Array(3);
  const share = 1 / SUPERSAMPLING ** 2;
  for (let at = 0; at < raster.triangle.length; at++) {
    const column = Math.floor((at % raster.width) / SUPERSAMPLING);
    const row = Math.floor(Math.floor(at / raster.width) / SUPERSAMPLING);
    const pixel = 3 * (row * width + column);
    const triangle = raster.triangle[at]!;
    colour.fill(0);
    if (triangle < 0) {
      colour.set(background.data.subarray(pixel, pixel + 3));
    } else {
      const [a, b] = [raster.weights[2 * at]!, raster.weights[2 * at + 1]!];
      const onFace = triangle < faceTriangles;
      const corners = onFace ? topology.triangles : shell.triangles;
      const places = onFace ? topology.uvs : shell.samples;
      const first = 3 * (onFace ? triangle : triangle - faceTriangles);
      const [i, j, k] = [corners[first]!, corners[first + 1]!, corners[first + 2]!];
      const mix = (axis: number) =>
        a * places[2 * i + axis]! + b * places[2 * j + axis]! + (1 - a - b) * places[2 * k + axis]!;
      const scale = onFace ? side : 1;
      const sample = { x: mix(0) * scale, y: mix(1) * scale, weight: 1, out: colour, at: 0 };
      addBilinear(onFace ? texture : photograph, sample);
      if (!onFace) { for (let c = 0; c < 3; c++) colour[c] = Math.min(1, colour[c]! * tint[c]!); }
    }
    for (let c = 0; c < 3; c++) picture.data[pixel + c] = picture.data[pixel + c]! + share * colour[c]!;
  }
  return picture;
}
