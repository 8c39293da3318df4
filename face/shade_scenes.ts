/**
 * The colours of many frames of one head on the device, after the raster: what `drawScene` of scene.ts, the reference,
 * does with each sample. Values agree with the reference's to f32 rounding: a place in a picture is kept as a whole
 * pixel and what lies beyond, which is right to 1e-5 pixels where one number would be right to 1e-4.
 */
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { webgpuBackend } from "@ftim/gpu/backend";
import { fetchTexel, pack } from "@ftim/gpu/texels";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import type { HeadShell } from "./head_shell.ts";
import type { RgbImage } from "./image.ts";
import type { Scene } from "./scene.ts";

/** What a rasteriser of the face and then the shell finds, on twice as many samples a side as a picture has pixels. */
export interface SceneRaster {
  /** Index of the nearest triangle, those of the shell behind those of the face; −1 where there is none [B, 2H, 2W]. */
  readonly triangle: Tensor3D;
  /** Barycentric weights of its first two vertices [B, 2H, 2W, 2]. */
  readonly weights: Tensor4D;
}

/** What is the same in each frame of a head. */
export interface SceneColours extends Omit<Scene, "face" | "shell"> {
  readonly shell: Pick<HeadShell, "samples" | "triangles">;
}

/**
 * Colours the frames, box-filtered from 2×2 samples a pixel.
 *
 * @returns [B, H, W, 3], of the background's size
 * @throws {RangeError} if raster and background do not fit, or a place in a picture is no number
 */
export function shadeScenes(tf: Tfjs, { triangle, weights }: SceneRaster, scene: SceneColours): Tensor4D {
  const { topology, texture, shell, photograph, tint, background: { width, height, data } } = scene;
  const [frames] = triangle.shape;
  if (
    triangle.shape.join() !== [frames, 2 * height, 2 * width].join() ||
    weights.shape.join() !== [...triangle.shape, 2].join()
  ) {
    throw new RangeError(
      `A raster [${triangle.shape}] with weights [${weights.shape}] is none of pictures of ${width}×${height} pixels`,
    );
  }
  const part = sampledPart(photograph, shell.samples);
  const onTexture = topology.uvs.map((value) => value * texture.width);
  const onPart = shell.samples.map((value, k) => value - (k % 2 === 0 ? part.left : part.top));
  const places = new Float32Array([
    ...placesOf(topology.triangles, onTexture),
    ...placesOf(shell.triangles, onPart),
  ]);
  const pictures = new Float32Array(texture.data.length + part.data.length);
  pictures.set(texture.data);
  pictures.set(part.data, texture.data.length);
  if (frames === 0) return tf.zeros([0, height, width, 3]);
  const count = frames * height * width;
  return tf.tidy(() => {
    const texels = (values: Float32Array, { slot, channels }: { slot: string; channels: number }) =>
      pack(webgpuBackend(tf), tf.tensor1d(values), {
        outer: values.length / channels,
        outerStride: channels,
        inner: 1,
        innerPadded: 1,
        innerStride: channels,
        channels,
        channelStride: 1,
        slot,
      });
    return run(tf, {
      key: "shade_scenes",
      code,
      inputs: [
        triangle,
        weights,
        texels(places, { slot: "scene places", channels: 4 }),
        texels(pictures, { slot: "scene pictures", channels: 3 }),
        tf.tensor1d(data),
      ],
      shape: [frames, height, width, 3],
      uniforms: [
        count,
        width,
        height,
        topology.triangles.length / 3,
        texture.width,
        texture.height,
        part.width,
        part.height,
        ...tint.map((f32) => ({ f32 })),
      ],
      invocations: count,
    }) as Tensor4D;
  });
}

/** The pixels of a photograph between its samples, and one more on each side, which a bilinear sample reads. */
function sampledPart(photograph: RgbImage, samples: Float32Array): RgbImage & { left: number; top: number } {
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

const code = () =>
  program({
    result: "f32",
    inputs: [
      ["triangles", "vec2<i32>"],
      ["weights", "vec4<f32>"],
      ["places", "texture"],
      ["pictures", "texture"],
      ["background", "f32"],
    ],
    uniforms: [
      "count",
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
    functions: QUOTIENT + /* wgsl */ `
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
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.width);
  let x = id - row * u.width;
  let y = row - quotient(row, u.height) * u.height;
  let place = 3 * (y * u.width + x);
  let behind = vec3<f32>(background[place], background[place + 1], background[place + 2]);
  let upper = 2 * row * u.width + x;
  let lower = upper + u.width;
  let ids = vec4<i32>(triangles[upper], triangles[lower]);
  let above = weights[upper];
  let below = weights[lower];
  let sum = 0.25 * colour(ids.x, above.xy, behind) + 0.25 * colour(ids.y, above.zw, behind) +
    0.25 * colour(ids.z, below.xy, behind) + 0.25 * colour(ids.w, below.zw, behind);
  result[3 * id] = sum.x;
  result[3 * id + 1] = sum.y;
  result[3 * id + 2] = sum.z;`,
  });
