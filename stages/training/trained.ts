/**
 * Stages `pack` and `unpack`: all that reconstruction needs of a training, as one file that is small enough to be kept
 * in `results/`: with it a fresh clone reconstructs a photograph at once, without it the training comes first.
 *
 * The albedo basis is three quarters of everything and the least delicate: it is stored with 8 bits a value, each
 * component with a scale of its own, which moves the template by less than a thousandth. The network's weights are
 * stored in half precision, which moves no picture by more than one of 255 levels. The file has a hash of its values,
 * for damaged ones make a wrong face and no error.
 */
import { defineStage, sha256 } from "@ftim/pipeline";

/** Largest code of a quantised value; codes are stored with this added. */
const LEVELS = 127;
const BASIS = "model/albedoBasis";
const SCALES = "model/albedoBasis.scale";
/** The name, among what the file says of itself, of the sha256 of its values. */
const HASH = "sha256";

/** Trained weights, their morphable model and the mesh correction → `trained.safetensors`. */
export const packTrained = defineStage({
  name: "pack",
  module: import.meta.url,
  inputs: { weights: "weights", model: "model", correction: "correction" },
  output: "trained",
  determinism: "bitwise",
  computes: { cpu: "quantising: file formats" },
  run: async ({ inputs: { weights, model, correction }, out }) => {
    const { decodeSafetensors, encodeSafetensors, safetensorsMetadata, tensorBytes } = await import(
      "../../nets/safetensors.ts"
    );
    const network = await weights.bytes("network.safetensors");
    const tensors = {
      ...prefixed("network/", mapValues(decodeSafetensors(network), (tensor) => ({ ...tensor, half: true }))),
      ...prefixed("model/", decodeSafetensors(await model.bytes("model.safetensors"))),
      ...prefixed("correction/", decodeSafetensors(await correction.bytes("correction.safetensors"))),
    };
    const { shape, data } = tensors[BASIS]!;
    const { codes, scales } = quantise(data as Float32Array, shape[0]!);
    const packed = {
      ...tensors,
      [BASIS]: { shape, data: codes },
      [SCALES]: { shape: [shape[0]!], data: scales },
    };
    const about = safetensorsMetadata(network);
    const hash = sha256(tensorBytes(encodeSafetensors(packed, about)));
    out.write("trained.safetensors", encodeSafetensors(packed, { ...about, [HASH]: hash }));
  },
});

/**
 * `trained.safetensors` → `network.safetensors`, `model.safetensors` and `correction.safetensors`, as the stages read
 * them.
 */
export const unpackTrained = defineStage({
  name: "unpack",
  module: import.meta.url,
  inputs: { trained: "trained" },
  output: "unpacked",
  determinism: "bitwise",
  computes: { cpu: "quantising: file formats" },
  run: async ({ inputs: { trained }, out }) => {
    const { decodeSafetensors, encodeSafetensors, safetensorsMetadata } = await import("../../nets/safetensors.ts");
    const bytes = await trained.bytes("trained.safetensors");
    const { [BASIS]: basis, [SCALES]: scales, ...tensors } = decodeSafetensors(bytes);
    if (!(basis?.data instanceof Uint8Array && scales?.data instanceof Float32Array)) {
      throw new TypeError("trained.safetensors holds no packed model; make it again with `deno task reproduce`");
    }
    if (tensors["correction/coefficients"] === undefined) {
      throw new TypeError(
        "trained.safetensors holds no mesh correction: an earlier version made it; " +
          "make it again with `deno task reproduce`",
      );
    }
    const data = dequantise(basis.data, scales.data);
    const all = { ...tensors, [BASIS]: { shape: basis.shape, data } };
    const { [HASH]: _, ...about } = safetensorsMetadata(bytes);
    out.write("network.safetensors", encodeSafetensors(without("network/", all), about));
    out.write("model.safetensors", encodeSafetensors(without("model/", all)));
    out.write("correction.safetensors", encodeSafetensors(without("correction/", all)));
  },
});

/** Rows of values as 8-bit codes, and what one step is worth in each row. */
export function quantise(values: Float32Array, rows: number): { codes: Uint8Array; scales: Float32Array } {
  const length = rows === 0 ? 0 : values.length / rows;
  const scales = Float32Array.from(
    { length: rows },
    (_, k) =>
      values.subarray(k * length, (k + 1) * length).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30) /
      LEVELS,
  );
  return { codes: Uint8Array.from(values, (v, i) => Math.round(v / scales[Math.floor(i / length)]!) + LEVELS), scales };
}

/** The values of 8-bit codes; off by half a step at most. */
export function dequantise(codes: Uint8Array, scales: Float32Array): Float32Array {
  const length = codes.length / scales.length;
  return Float32Array.from(codes, (code, i) => (code - LEVELS) * scales[Math.floor(i / length)]!);
}

function mapValues<In, Out>(record: Record<string, In>, make: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value)]));
}

function prefixed<T>(prefix: string, record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
}

function without<T>(prefix: string, record: Record<string, T>): Record<string, T> {
  const own = Object.entries(record).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}
