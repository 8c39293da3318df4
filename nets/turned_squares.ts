/**
 * Turned squares of many photographs at once on the device, as upright pictures: what recognition and mesh networks ask
 * for. The references are `alignFace` of five_points.ts and `cutSquare` of turned_squares_cpu.ts.
 *
 * Places are counted from the square's centre, so that f32 is right to 1e-4 pixels in a square of 2000. Values agree to
 * that part of the difference of neighbouring pixels.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import { roomFor, USED_ROOM } from "@ftim/gpu/buffer-room";
import { copyPart, type PixelPart, type Pixels, pixelScratch } from "../face/pixels.ts";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { groupsOf, type PixelWork } from "./pixel_groups.ts";

/** A square in a photograph. */
export interface TurnedSquare {
  readonly image: Pixels;
  /** Its centre in the photograph, pixels. */
  readonly x: number;
  readonly y: number;
  /** The photograph's pixels for one pixel of the picture to the right: so many to the right … */
  readonly a: number;
  /** … and so many down. */
  readonly b: number;
  /** Samples along each side of a pixel, each bilinear. */
  readonly samples: number;
}

/** Bytes of pixels on the device at a time. */
const AT_ONCE = 1 << 24;

/** Bytes of a pixel on the device: three floats, or a word with a byte of each channel, which one load reads. */
const pixelSize = ({ data }: Pixels) => data instanceof Uint8Array ? 4 : 12;

/**
 * Cuts squares out. What lies outside of a photograph is its nearest edge pixel.
 *
 * @param squares photographs may differ in size and be floats or bytes
 * @param options.side of the pictures, pixels
 * @returns [squares, side, side, 3], 0..1
 * @throws {RangeError} if a square is none, or covers more pixels than the device holds; the message names its index
 */
export function cutTurnedSquares(
  tf: Tfjs,
  squares: readonly TurnedSquare[],
  { side, bytesAtOnce = AT_ONCE }: { side: number; bytesAtOnce?: number },
): Tensor4D {
  if (squares.length === 0) return tf.zeros([0, side, side, 3]);
  const limit = USED_ROOM * webgpuBackend(tf).device.limits.maxStorageBufferBindingSize;
  const cuts = squares.map((square, index) => cutOf(square, { index, side, limit }));
  return tf.tidy(() => {
    const parts = groupsOf(cuts, { most: Math.min(bytesAtOnce, limit), workOf }).map((group) => {
      const pictures = tf.tidy(() => sampleCuts(tf, group, side));
      // The device works on these while the next are copied.
      submitRecorded(webgpuBackend(tf));
      return pictures;
    });
    return parts.length === 1 ? parts[0]! : tf.concat(parts);
  });
}

/** A square and the pixels that it may read. */
interface Cut {
  readonly square: TurnedSquare;
  readonly part: PixelPart;
  readonly bytes: number;
}

function cutOf(
  square: TurnedSquare,
  { index, side, limit }: { index: number; side: number; limit: number },
): Cut {
  const { image, x, y, a, b, samples } = square;
  if (
    ![x, y, a, b].every(Number.isFinite) || !(Number.isInteger(samples) && samples > 0 && side > 0) ||
    !(image.width > 0 && image.height > 0)
  ) {
    throw new RangeError(
      `Cannot cut square ${index}, at (${x}, ${y}) along (${a}, ${b}), out of ${image.width}×${image.height} pixels`,
    );
  }
  const reach = (Math.abs(a) + Math.abs(b)) * side / 2;
  const [left, columns] = stretch(x, { reach, size: image.width });
  const [top, rows] = stretch(y, { reach, size: image.height });
  const bytes = pixelSize(image) * columns * rows;
  if (bytes > limit) {
    throw new RangeError(
      `Cannot cut square ${index}: it covers ${columns}×${rows} pixels, more than the device holds; reduce the ` +
        "photograph first",
    );
  }
  return { square, part: { left, top, columns, rows }, bytes };
}

/** The first pixel of an axis within reach of a place, and how many there are: one at least. */
function stretch(at: number, { reach, size }: { reach: number; size: number }): [first: number, count: number] {
  const inside = (value: number) => Math.min(Math.max(value, 0), size - 1);
  const first = inside(Math.floor(at - reach - 0.5) - 1);
  return [first, inside(Math.floor(at + reach - 0.5) + 2) - first + 1];
}

function workOf({ square: { image }, bytes }: Cut): PixelWork {
  return { image, bytes };
}

function sampleCuts(tf: Tfjs, cuts: readonly Cut[], side: number): Tensor4D {
  const { data } = cuts[0]!.square.image;
  const bytes = data instanceof Uint8Array;
  const pixels = pixelScratch(12 * roomFor(cuts.reduce((sum, cut) => sum + cut.bytes, 0) / 12));
  const parts = new Int32Array(4 * cuts.length);
  const turns = new Float32Array(8 * cuts.length);
  let at = 0;
  for (const [i, { square: { image, x, y, a, b, samples }, part, bytes: size }] of cuts.entries()) {
    if (image.data instanceof Uint8Array) {
      copyWords({ ...image, data: image.data }, part, new Uint32Array(pixels.buffer, pixels.byteOffset + at));
    } else {
      copyPart(image, part, { to: pixels.subarray(at), rowBytes: 12 * part.columns });
    }
    parts.set([at / (bytes ? 4 : 12), part.columns, part.rows, samples], 4 * i);
    const [u, v] = [x - part.left - 0.5, y - part.top - 0.5];
    turns.set([Math.floor(u), Math.floor(v), u - Math.floor(u), v - Math.floor(v), a, b], 8 * i);
    at += size;
  }
  const count = cuts.length * side * side;
  return run(tf, {
    key: `turned_squares_${bytes ? "bytes" : "floats"}`,
    code: () => code(bytes),
    inputs: [
      tf.tensor1d(new Int32Array(pixels.buffer, 0, pixels.length / 4), "int32"),
      tf.tensor1d(parts, "int32"),
      tf.tensor1d(turns),
    ],
    shape: [cuts.length, side, side, 3],
    uniforms: [count, side],
    invocations: count,
  }) as Tensor4D;
}

/** The pixels of a part of a photograph in bytes, a word each. */
function copyWords(
  { data, width }: { data: Uint8Array; width: number },
  { left, top, columns, rows }: PixelPart,
  to: Uint32Array,
): void {
  for (let y = 0, k = 0; y < rows; y++) {
    for (let x = 0, i = 3 * ((top + y) * width + left); x < columns; x++, i += 3, k++) {
      to[k] = data[i]! | data[i + 1]! << 8 | data[i + 2]! << 16;
    }
  }
}

const code = (bytes: boolean) =>
  program({
    result: "f32",
    inputs: [["pixels", bytes ? "u32" : "f32"], ["parts", "vec4<i32>"], ["turns", "vec4<f32>"]],
    uniforms: ["count", "side"],
    functions: QUOTIENT +
      (bytes
        ? "fn pixel(i : i32) -> vec3<f32> { return unpack4x8unorm(pixels[i]).xyz; }"
        : "fn pixel(i : i32) -> vec3<f32> { return vec3<f32>(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]); }"),
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.side);
  let square = quotient(row, u.side);
  let corner = vec2<f32>(f32(id - row * u.side), f32(row - square * u.side)) - 0.5 * f32(u.side);
  let part = parts[square];
  let centre = turns[2 * square];
  let turn = turns[2 * square + 1].xy;
  let last = part.yz - 1;
  let samples = part.w;
  var sum = vec3<f32>();
  for (var j = 0; j < samples; j++) {
    for (var i = 0; i < samples; i++) {
      let place = corner + (vec2<f32>(f32(i), f32(j)) + 0.5) / f32(samples);
      let moved = centre.zw + vec2<f32>(turn.x * place.x - turn.y * place.y, turn.y * place.x + turn.x * place.y);
      let at = vec2<i32>(centre.xy + floor(moved));
      let low = clamp(at, vec2<i32>(), last);
      let high = min(low + 1, last);
      let share = select(moved - floor(moved), vec2<f32>(), at < vec2<i32>());
      let upper = part.x + low.y * part.y;
      let lower = part.x + high.y * part.y;
      let above = mix(pixel(upper + low.x), pixel(upper + high.x), share.x);
      let below = mix(pixel(lower + low.x), pixel(lower + high.x), share.x);
      sum += mix(above, below, share.y);
    }
  }
  sum /= f32(samples * samples);
  result[3 * id] = sum.x;
  result[3 * id + 1] = sum.y;
  result[3 * id + 2] = sum.z;`,
  });
