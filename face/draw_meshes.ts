/**
 * Meshes of any topology drawn over pictures, on the device: colours of the vertices, a texture, or both, of which one
 * is then the albedo and the other its light. It is for meshes that are drawn once; what `Image Render` of the paper is
 * trained through is render_device.ts.
 *
 * A pixel is the mean of 2×2 samples, of which those beside the mesh show the picture.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { disposeLists, listTriangles, runWalk } from "@ftim/gpu/raster";
import { TILE, walkProgram, WORD } from "@ftim/gpu/raster-wgsl";

/** What is the same of all meshes of a batch. */
export interface DrawnTopology {
  /** `[F, 3]` vertices. */
  readonly triangles: Uint32Array;
  /** Where textures lie. Without it there are none. */
  readonly chart?: {
    /** u (right) and v (down), 0..1, of the places in the chart. */
    readonly uvs: Float32Array;
    /** `[F, 3]` places, corner for corner those of `triangles`. */
    readonly uvTriangles: Uint32Array;
  };
}

/** How meshes are drawn. */
export interface DrawMeshesOptions extends DrawnTopology {
  /** `[B, V, 3]`: colours of the vertices, or what the texture is multiplied by. Default 1. */
  readonly colours?: Tensor3D;
  /** `[B, T, T, 3]`, read as `F.grid_sample` without `align_corners` does it, but with the edge outside. */
  readonly texture?: Tensor4D;
  /** `[B, H, W, 3]`: written to, and returned; so they must be no one else's. */
  readonly over: Tensor4D;
  /** Bytes of lists on the device at a time: what is larger is drawn in bands of rows. Default 64 MiB. */
  readonly bytesAtOnce?: number;
}

/** Samples along each side of a pixel. */
const SIDE = 2;

/**
 * Draws a mesh over each picture. A sample's colour is cut off at 0 and 1. The same bits come out for a mesh in any
 * batch. While a mesh is drawn, it takes a bit a triangle for each 4×2 pixels that it reaches: 55 MB at 224² with
 * 70,789 triangles. A larger one is drawn in bands.
 *
 * @param meshes vertices of each in pixels of the picture: x right, y down, z larger = farther
 * @returns `[B, H, W, 3]`
 * @throws {RangeError} if there are no colours and no texture, if a texture has no chart, if what is given is not of
 *   the batch, or if vertices are no finite numbers or too far away; the message names the mesh's index
 */
export function drawMeshes(
  tf: Tfjs,
  meshes: readonly Float32Array[],
  { triangles, chart, colours, texture, over, bytesAtOnce = 1 << 26 }: DrawMeshesOptions,
): Tensor4D {
  const [batch, height, width] = over.shape;
  const vertices = (meshes[0]?.length ?? 0) / 3;
  if (colours === undefined && texture === undefined) throw new RangeError("Meshes have no colours and no texture");
  if (texture !== undefined && chart === undefined) throw new RangeError("Meshes with a texture have no chart");
  if (
    batch !== meshes.length || (colours !== undefined && `${colours.shape}` !== `${[batch, vertices, 3]}`) ||
    (texture !== undefined && (texture.shape[0] !== batch || texture.shape[1] !== texture.shape[2]))
  ) {
    throw new RangeError(
      `Cannot draw ${meshes.length} meshes of ${vertices} vertices with colours [${colours?.shape}] and textures ` +
        `[${texture?.shape}] over pictures [${over.shape}]`,
    );
  }
  if (chart !== undefined && chart.uvTriangles.length !== triangles.length) {
    throw new RangeError(`A chart of ${chart.uvTriangles.length / 3} triangles, and ${triangles.length / 3} triangles`);
  }
  const tileRows = bandOf({ width, triangles: triangles.length / 3, bytesAtOnce });
  tf.tidy(() => {
    const inputs: Tensor[] = [];
    if (colours !== undefined) inputs.push(tf.tensor1d(Int32Array.from(triangles), "int32"), colours);
    if (texture !== undefined) inputs.push(tf.tensor1d(cornersOf(chart!)), texture);
    const kind = { coloured: colours !== undefined, textured: texture !== undefined };
    // One mesh after the other, because only the box around it is looked at.
    for (const [index, mesh] of meshes.entries()) {
      checkMesh(mesh, index);
      for (let top = 0; top < height; top += TILE.height * tileRows) {
        const rows = Math.min(TILE.height * tileRows, height - top);
        const placed = top === 0 ? mesh : mesh.map((value, i) => i % 3 === 1 ? value - top : value);
        const looked = { width: width * SIDE, height: rows * SIDE, scale: SIDE, block: SIDE };
        const lists = listTriangles(tf, { vertices: [placed], triangles }, looked);
        runWalk(tf, lists, {
          key: `draw_meshes_${kind.coloured}_${kind.textured}`,
          code: () => drawCode(kind),
          inputs,
          into: over,
          shape: over.shape,
          uniforms: [index, width, height, top, rows, vertices, texture?.shape[1] ?? 0],
        });
        disposeLists(lists);
      }
    }
  });
  return over;
}

/** Rows of tiles whose lists fit, of pictures that are as wide as that; at least one. */
function bandOf(
  { width, triangles, bytesAtOnce }: { width: number; triangles: number; bytesAtOnce: number },
): number {
  const bytes = 4 * Math.ceil(triangles / WORD) * Math.ceil(width / TILE.width);
  return Math.max(1, Math.floor(bytesAtOnce / bytes));
}

function checkMesh(mesh: Float32Array, index: number): void {
  if (mesh.every(Number.isFinite)) return;
  throw new RangeError(`Cannot draw mesh ${index}: a vertex is no finite number`);
}

/** Places of the corners in the chart `[6·F]`. */
function cornersOf({ uvs, uvTriangles }: NonNullable<DrawnTopology["chart"]>): Float32Array {
  const out = new Float32Array(2 * uvTriangles.length);
  for (const [corner, place] of uvTriangles.entries()) {
    out[2 * corner] = uvs[2 * place]!;
    out[2 * corner + 1] = uvs[2 * place + 1]!;
  }
  return out;
}

const SAMPLES = Array.from({ length: SIDE ** 2 }, (_, k) => k);

function drawCode({ coloured, textured }: { coloured: boolean; textured: boolean }): string {
  return walkProgram({
    result: "f32",
    inputs: [
      ...(coloured ? [["corners", "i32"], ["colours", "f32"]] as const : []),
      ...(textured ? [["charts", "f32"], ["maps", "f32"]] as const : []),
    ],
    uniforms: ["picture", "width", "height", "start", "rows", "vertices", "size"],
    functions: (coloured ? COLOURED : "") + (textured ? TEXTURED : "") + /* wgsl */ `
fn shown(triangle : i32, weights : vec2<f32>, behind : vec3<f32>) -> vec3<f32> {
  let t = max(triangle, 0);
  let w = vec3<f32>(weights, 1 - weights.x - weights.y);
  let own = ${[coloured && "coloured(t, w)", textured && "textured(t, w)"].filter((part) => part).join(" * ")};
  return select(clamp(own, vec3<f32>(), vec3<f32>(1)), behind, triangle < 0);
}
`,
    walk: {
      block: SIDE,
      state: SAMPLES.map((k) => `var shown${k} = -1; var part${k} = vec2<f32>();`).join("\n  "),
      sample: (k) => `shown${k} = select(shown${k}, t, hit); part${k} = select(part${k}, e.xy * inverse, hit);`,
    },
    after: `
  let at = corner / ${SIDE};
  if (at.x >= u.width || at.y >= u.rows) { return; }
  if (${SAMPLES.map((k) => `shown${k} < 0`).join(" && ")}) { return; }
  let to = 3 * ((u.picture * u.height + u.start + at.y) * u.width + at.x);
  let behind = vec3<f32>(result[to], result[to + 1], result[to + 2]);
  let sum = ${SAMPLES.map((k) => `shown(shown${k}, part${k}, behind)`).join(" + ")};
  result[to] = sum.x / ${SIDE ** 2};
  result[to + 1] = sum.y / ${SIDE ** 2};
  result[to + 2] = sum.z / ${SIDE ** 2};`,
  });
}

const COLOURED = /* wgsl */ `
fn colourAt(corner : i32) -> vec3<f32> {
  let at = 3 * (u.picture * u.vertices + corners[corner]);
  return vec3<f32>(colours[at], colours[at + 1], colours[at + 2]);
}
fn coloured(t : i32, w : vec3<f32>) -> vec3<f32> {
  return w.x * colourAt(3 * t) + w.y * colourAt(3 * t + 1) + w.z * colourAt(3 * t + 2);
}
`;

const TEXTURED = /* wgsl */ `
fn placeAt(corner : i32) -> vec2<f32> { return vec2<f32>(charts[2 * corner], charts[2 * corner + 1]); }
fn texel(x : i32, y : i32) -> vec3<f32> {
  let inside = clamp(vec2<i32>(x, y), vec2<i32>(), vec2<i32>(u.size - 1));
  let at = 3 * ((u.picture * u.size + inside.y) * u.size + inside.x);
  return vec3<f32>(maps[at], maps[at + 1], maps[at + 2]);
}
fn textured(t : i32, w : vec3<f32>) -> vec3<f32> {
  let uv = w.x * placeAt(3 * t) + w.y * placeAt(3 * t + 1) + w.z * placeAt(3 * t + 2);
  let place = uv * f32(u.size) - 0.5;
  let first = floor(place);
  let part = place - first;
  let x = i32(first.x);
  let y = i32(first.y);
  let above = mix(texel(x, y), texel(x + 1, y), part.x);
  let below = mix(texel(x, y + 1), texel(x + 1, y + 1), part.x);
  return mix(above, below, part.y);
}
`;
