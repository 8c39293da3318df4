/**
 * Many frames of one head as pictures on the device: `drawScene` of draw_scenes_cpu.ts. A sample within about 1e-4
 * pixels of an edge may show what is on its other side; else values agree to f32 rounding. A place in a picture is kept
 * as a whole pixel and what lies beyond, which is right to 1e-5 pixels where one number would be right to 1e-4.
 *
 * One dispatch looks for what the samples of a pixel show and colours them, so no raster is written.
 */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { webgpuBackend } from "@ftim/gpu/backend";
import { disposeLists, listTriangles, runWalk } from "@ftim/gpu/raster";
import { walkProgram } from "@ftim/gpu/raster-wgsl";
import { fetchTexel, pack } from "@ftim/gpu/texels";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, run } from "@ftim/gpu/wgsl";
import type { HeadShell } from "./head_shell.ts";
import type { RgbImage } from "./image.ts";
import { joined } from "./joined.ts";
import type { Pixels } from "./pixels.ts";
import type { Topology } from "./topology.ts";

/** Where the head is in a frame: vertices in pixels of the picture (x right, y down, z away). */
export interface Frame {
  /** [3·V] */
  readonly face: Float32Array;
  /** [3·W] */
  readonly shell: Float32Array;
}

/** What is the same in each frame of a head. */
export interface SceneColours {
  readonly topology: Topology;
  /** Factor on the shell's colours, one a channel: the change of light since the photograph. */
  readonly tint: readonly [number, number, number];
  /** Where the shell takes its colours. */
  readonly photograph: Pixels;
  readonly shell: Pick<HeadShell, "samples" | "triangles">;
  /** [S, S, 3] */
  readonly texture: Tensor3D;
  /** [H, W, 3] */
  readonly background: Tensor3D;
}

/** Samples along each side of a pixel. */
const SUPERSAMPLING = 2;

/**
 * Draws frames, box-filtered from 2×2 samples a pixel. The same bits come out for a frame in any batch.
 *
 * @returns [B, H, W, 3], of the background's size
 * @throws {RangeError} if a vertex of a frame, or a place in a picture, is no finite number; the message says which
 * @throws {GpuError} if the device can bind no buffer as large as all pictures
 */
export function drawScenes(tf: Tfjs, frames: readonly Frame[], scene: SceneColours): Tensor4D {
  const { topology, texture, shell, photograph, tint, background } = scene;
  const [height, width] = background.shape;
  const [textureHeight, textureWidth] = texture.shape;
  if (frames.length === 0) return tf.zeros([0, height, width, 3]);
  const part = sampledPart(photograph, shell.samples);
  const onTexture = topology.uvs.map((value) => value * textureWidth);
  const onPart = shell.samples.map((value, k) => value - (k % 2 === 0 ? part.left : part.top));
  const places = new Float32Array([
    ...placesOf(topology.triangles, onTexture),
    ...placesOf(shell.triangles, onPart),
  ]);
  const triangles = Uint32Array.from([
    ...topology.triangles,
    ...shell.triangles.map((vertex) => vertex + topology.vertexCount),
  ]);
  const looked = { width: width * SUPERSAMPLING, height: height * SUPERSAMPLING, scale: SUPERSAMPLING };
  return tf.tidy(() => {
    const texels = (values: Tensor, { slot, channels }: { slot: string; channels: number }) =>
      pack(webgpuBackend(tf), values, {
        outer: values.size / channels,
        outerStride: channels,
        inner: 1,
        innerPadded: 1,
        innerStride: channels,
        channels,
        channelStride: 1,
        slot,
      });
    const inputs = [
      texels(tf.tensor1d(places), { slot: "scene places", channels: 4 }),
      texels(tf.concat([tf.reshape(texture, [-1]), tf.tensor1d(part.data)]), { slot: "scene pictures", channels: 3 }),
      background,
    ];
    const pictures = repeated(tf, background, frames.length);
    // One frame after the other, because only the box around its head is looked at.
    for (const [index, { face, shell }] of frames.entries()) {
      const vertices = joined([face, shell]);
      if (!vertices.every(Number.isFinite)) throw new RangeError(`Frame ${index}: a vertex is no finite number`);
      const lists = listTriangles(tf, { vertices: [vertices], triangles }, { ...looked, block: SUPERSAMPLING });
      runWalk(tf, lists, {
        key: "draw_scenes",
        code,
        inputs,
        into: pictures,
        shape: pictures.shape,
        uniforms: [
          index,
          width,
          height,
          topology.triangles.length / 3,
          textureWidth,
          textureHeight,
          part.width,
          part.height,
          ...tint.map((f32) => ({ f32 })),
        ],
      });
      disposeLists(lists);
    }
    return pictures;
  });
}

/** A picture several times [count, H, W, 3]. */
function repeated(tf: Tfjs, picture: Tensor3D, count: number): Tensor4D {
  const size = picture.size;
  return run(tf, {
    key: "repeat_picture",
    code: () =>
      program({
        result: "f32",
        inputs: [["picture", "f32"]],
        uniforms: ["size", "count"],
        body: `
  if (id >= u.size) { return; }
  let value = picture[id];
  for (var k = 0; k < u.count; k++) { result[k * u.size + id] = value; }`,
      }),
    inputs: [picture],
    shape: [count, ...picture.shape],
    uniforms: [size, count],
    invocations: size,
  }) as Tensor4D;
}

/** The pixels of a photograph between its samples, and one more on each side, which a bilinear sample reads. */
function sampledPart(photograph: Pixels, samples: Float32Array): RgbImage & { left: number; top: number } {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (let k = 0; k < samples.length; k++) {
    const value = samples[k]!;
    if (!Number.isFinite(value)) throw new RangeError(`Vertex ${k >> 1} of the shell has no place in the photograph`);
    low[k & 1] = Math.min(low[k & 1]!, value);
    high[k & 1] = Math.max(high[k & 1]!, value);
  }
  const inside = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1);
  const left = inside(Math.floor(low[0]! - 0.5) - 1, photograph.width);
  const top = inside(Math.floor(low[1]! - 0.5) - 1, photograph.height);
  const width = inside(Math.floor(high[0]! - 0.5) + 2, photograph.width) - left + 1;
  const height = inside(Math.floor(high[1]! - 0.5) + 2, photograph.height) - top + 1;
  const data = new Float32Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const at = 3 * ((top + y) * photograph.width + left);
    data.set(photograph.data.subarray(at, at + 3 * width), 3 * width * y);
  }
  // Bytes are 255ths.
  if (photograph.data instanceof Uint8Array) { for (let i = 0; i < data.length; i++) data[i] = data[i]! / 255; }
  return { left, top, width, height, data };
}

/**
 * Of each triangle: the third vertex's place among the pixels' centres, whole and what lies beyond, and the ways from
 * it to the first and to the second [8·T].
 */
function placesOf(triangles: Uint32Array, places: Float32Array): Float32Array {
  const out = new Float32Array(8 * triangles.length / 3);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [2 * triangles[t]!, 2 * triangles[t + 1]!, 2 * triangles[t + 2]!];
    const [x, y] = [places[c]! - 0.5, places[c + 1]! - 0.5];
    if (!Number.isFinite(x + y)) throw new RangeError(`Triangle ${t / 3} has no place in its picture`);
    out.set([Math.floor(x), Math.floor(y), x - Math.floor(x), y - Math.floor(y)], 8 * t / 3);
    out.set(
      [
        places[a]! - places[c]!,
        places[a + 1]! - places[c + 1]!,
        places[b]! - places[c]!,
        places[b + 1]! - places[c + 1]!,
      ],
      8 * t / 3 + 4,
    );
  }
  return out;
}

const SAMPLES = Array.from({ length: SUPERSAMPLING ** 2 }, (_, k) => k);

const code = () =>
  walkProgram({
    result: "f32",
    inputs: [["places", "texture"], ["pictures", "texture"], ["background", "f32"]],
    uniforms: [
      "frame",
      "width",
      "height",
      "on_face",
      "texture_width",
      "texture_height",
      "part_width",
      "part_height",
      "red:f32",
      "green:f32",
      "blue:f32",
    ],
    functions: /* wgsl */ `
fn placeAt(i : i32) -> vec4<f32> { return ${fetchTexel("places", "i")}; }
fn pixel(i : i32) -> vec3<f32> { return ${fetchTexel("pictures", "i")}.xyz; }
fn colour(triangle : i32, weights : vec2<f32>, behind : vec3<f32>) -> vec3<f32> {
  let t = max(triangle, 0);
  let face = t < u.on_face;
  let start = placeAt(2 * t);
  let ways = placeAt(2 * t + 1);
  let size = select(vec2<i32>(u.part_width, u.part_height), vec2<i32>(u.texture_width, u.texture_height), face);
  let moved = start.zw + weights.x * ways.xy + weights.y * ways.zw;
  let at = vec2<i32>(start.xy + floor(moved));
  let low = clamp(at, vec2<i32>(), size - 1);
  let high = min(low + 1, size - 1);
  let part = select(moved - floor(moved), vec2<f32>(), at < vec2<i32>());
  let first = select(u.texture_width * u.texture_height, 0, face);
  let upper = first + low.y * size.x;
  let lower = first + high.y * size.x;
  let above = mix(pixel(upper + low.x), pixel(upper + high.x), part.x);
  let below = mix(pixel(lower + low.x), pixel(lower + high.x), part.x);
  let found = mix(above, below, part.y);
  let tinted = min(vec3<f32>(1), found * vec3<f32>(u.red, u.green, u.blue));
  return select(select(tinted, found, face), behind, triangle < 0);
}
`,
    walk: {
      block: SUPERSAMPLING,
      state: SAMPLES.map((k) => `var shown${k} = -1; var part${k} = vec2<f32>();`).join("\n  "),
      sample: (k) => `shown${k} = select(shown${k}, t, hit); part${k} = select(part${k}, e.xy * inverse, hit);`,
    },
    after: `
  let at = corner / ${SUPERSAMPLING};
  if (at.x >= u.width || at.y >= u.height) { return; }
  let place = 3 * (at.y * u.width + at.x);
  let behind = vec3<f32>(background[place], background[place + 1], background[place + 2]);
  var sum = behind;
  if (${SAMPLES.map((k) => `shown${k} >= 0`).join(" || ")}) {
    sum = ${SAMPLES.map((k) => `${1 / SUPERSAMPLING ** 2} * colour(shown${k}, part${k}, behind)`).join(" +\n      ")};
  }
  let to = 3 * (u.frame * u.height * u.width) + place;
  result[to] = sum.x;
  result[to + 1] = sum.y;
  result[to + 2] = sum.z;`,
  });
