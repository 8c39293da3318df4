/**
 * Crops of many photographs at once on the device: of each a box, cut out and resampled (see resample_taps.ts) to one
 * size. `resampleCpu` is the reference; values agree to f32 rounding, 1e-6 of full scale.
 *
 * Only the pixels under a box go to the device. A crop whose pixels are too many for one buffer goes there in tiles of
 * some of its rows. Rows are resampled first, four pixels at a time, which are three words of a photograph in bytes.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { roomFor, USED_ROOM } from "@ftim/gpu/buffer-room";
import { copyPart, pixelScratch } from "../face/pixels.ts";
import { submitRecorded, webgpuBackend } from "@ftim/gpu/backend";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { program, QUOTIENT, run } from "@ftim/gpu/wgsl";
import { type PhotographBox, quadBytes, type Tile, tilesOf, workOf } from "./crop_tiles.ts";
import { groupsOf } from "./pixel_groups.ts";
import type { Border } from "./resample_taps.ts";

/** To what size, and how many at a time. */
export interface CropPhotographsOptions {
  readonly width: number;
  readonly height: number;
  /** Default "edge". */
  readonly border?: Border;
  /** Bytes of pixels on the device at a time. Default 16 MiB, and no more than the device binds. */
  readonly bytesAtOnce?: number;
}

/**
 * Cuts a box out of each photograph and resamples it.
 *
 * @param boxes photographs may differ in size and be floats or bytes
 * @returns [boxes, height, width, 3], 0..1
 * @throws {RangeError} if a box or the size is not positive and finite, or one row of a crop is made of more pixels
 *   than the device holds; the message names the box's index
 */
export function cropPhotographs(
  tf: Tfjs,
  boxes: readonly PhotographBox[],
  { width, height, border = "edge", bytesAtOnce = 1 << 24 }: CropPhotographsOptions,
): Tensor4D {
  if (boxes.length === 0) return tf.zeros([0, height, width, 3]);
  const most = Math.min(bytesAtOnce, USED_ROOM * webgpuBackend(tf).device.limits.maxStorageBufferBindingSize);
  const tiles = boxes.flatMap((box, index) => tilesOf(box, { index, width, height, border, most }));
  return tf.tidy(() => {
    const parts = groupsOf(tiles, { most, workOf }).map((group) => {
      const rows = tf.tidy(() => resampleTiles(tf, group, width));
      // The device works on these while the next are copied.
      submitRecorded(webgpuBackend(tf));
      return rows;
    });
    const rows = parts.length === 1 ? parts[0]! : tf.concat(parts);
    return tf.reshape(rows, [boxes.length, height, width, 3]) as Tensor4D;
  });
}

/** Numbers of a row in the table of rows. */
const ROW_NUMBERS = 8;

/** The rows of some tiles [rows, width, 3]. */
function resampleTiles(tf: Tfjs, tiles: readonly Tile[], width: number): Tensor {
  const bytes = tiles[0]!.image.data instanceof Uint8Array;
  const quad = quadBytes(tiles[0]!.image);
  const count = tiles.reduce((sum, { first, end }) => sum + end - first, 0);
  const widest = Math.max(...tiles.map(({ stride }) => stride));
  const table = new Int32Array(roomFor(ROW_NUMBERS * count));
  const weights: Float32Array[] = [];
  const firsts = new Int32Array(roomFor(tiles.length * width));
  const quads = roomFor(tiles.reduce((sum, { rows, stride }) => sum + rows * stride, 0));
  const pixels = pixelScratch(quad * quads);
  let [row, source, middle, weight] = [0, 0, 0, 0];
  for (const [index, tile] of tiles.entries()) {
    const { down, across, first, end, left, top, rows, stride } = tile;
    copyPart(tile.image, tile, { to: pixels.subarray(quad * source), rowBytes: quad * stride });
    weights.push(down.weights, across.weights);
    firsts.set(across.first.map((column) => column - left), index * width);
    const acrossWeight = weight + down.weights.length;
    for (let y = first; y < end; y++, row++, middle += stride) {
      table.set([
        source + (down.first[y]! - top) * stride,
        stride,
        middle,
        weight + y * down.width,
        down.width,
        index * width,
        acrossWeight,
        across.width,
      ], ROW_NUMBERS * row);
    }
    source += rows * stride;
    weight = acrossWeight + across.weights.length;
  }
  const joined = new Float32Array(roomFor(weight));
  weights.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
  const rowTable = tf.tensor1d(table, "int32");
  const allWeights = tf.tensor1d(joined);
  const rows = run(tf, {
    key: `crop_rows_${bytes ? "bytes" : "floats"}`,
    code: () => rowsCode(bytes),
    inputs: [tf.tensor1d(new Int32Array(pixels.buffer, 0, pixels.length / 4), "int32"), rowTable, allWeights],
    shape: [4 * roomFor(middle), 4],
    uniforms: [count * widest, widest],
    invocations: count * widest,
  });
  return run(tf, {
    key: "crop_columns",
    code: columnsCode,
    inputs: [rows, rowTable, allWeights, tf.tensor1d(firsts, "int32")],
    shape: [count, width, 3],
    uniforms: [count * width, width],
    invocations: count * width,
  });
}

/** WGSL of a number in the table of rows. */
function numberOf(name: "source" | "stride" | "to" | "weight" | "taps" | "first" | "across_weight" | "across_taps") {
  const names = ["source", "stride", "to", "weight", "taps", "first", "across_weight", "across_taps"];
  return `table[${ROW_NUMBERS} * row + ${names.indexOf(name)}]`;
}

const BYTES_OF = /* wgsl */ `
fn bytesOf(word : u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0, 8, 16, 24)) & vec4<u32>(255));
}
`;

/** The rows of the photographs resampled to the rows of the crops, a texel of four floats a pixel. */
const rowsCode = (bytes: boolean) =>
  program({
    result: "vec4<f32>",
    inputs: [["pixels", bytes ? "u32" : "vec4<f32>"], ["table", "i32"], ["weights", "f32"]],
    uniforms: ["count", "widest"],
    functions: QUOTIENT + (bytes ? BYTES_OF : ""),
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.widest);
  let quad = id - row * u.widest;
  let stride = ${numberOf("stride")};
  if (quad >= stride) { return; }
  var source = 3 * (${numberOf("source")} + quad);
  let weight = ${numberOf("weight")};
  var a = vec4<f32>();
  var b = vec4<f32>();
  var c = vec4<f32>();
  for (var k = 0; k < ${numberOf("taps")}; k++) {
    let w = weights[weight + k];${
      ["a", "b", "c"].map((sum, i) => `
    ${sum} += w * ${bytes ? `bytesOf(pixels[source + ${i}])` : `pixels[source + ${i}]`};`).join("")
    }
    source += 3 * stride;
  }${
      bytes
        ? ["a", "b", "c"].map((sum) => `
  ${sum} /= 255;`).join("")
        : ""
    }
  let to = 4 * (${numberOf("to")} + quad);
  result[to] = vec4<f32>(a.xyz, 0);
  result[to + 1] = vec4<f32>(a.w, b.xy, 0);
  result[to + 2] = vec4<f32>(b.zw, c.x, 0);
  result[to + 3] = vec4<f32>(c.yzw, 0);`,
  });

/** The columns of those resampled to the columns of the crops. */
const columnsCode = () =>
  program({
    result: "f32",
    inputs: [["rows", "vec4<f32>"], ["table", "i32"], ["weights", "f32"], ["firsts", "i32"]],
    uniforms: ["count", "width"],
    functions: QUOTIENT,
    body: `
  if (id >= u.count) { return; }
  let row = quotient(id, u.width);
  let x = id - row * u.width;
  let taps = ${numberOf("across_taps")};
  let weight = ${numberOf("across_weight")} + x * taps;
  let at = 4 * ${numberOf("to")} + firsts[${numberOf("first")} + x];
  var sum = vec4<f32>();
  for (var k = 0; k < taps; k++) { sum += weights[weight + k] * rows[at + k]; }
  result[3 * id] = sum.x;
  result[3 * id + 1] = sum.y;
  result[3 * id + 2] = sum.z;`,
  });
