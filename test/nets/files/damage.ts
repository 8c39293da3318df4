/** One fault in a file of tensors, by seed, and what reading it must come to: a clear error, or tensors that fit. */
import { openTensors } from "../../../nets/files/open_tensors.ts";
import { bytesSource, TensorFileError, type TensorSource } from "../../../nets/files/source.ts";
import { DTYPE_BYTES } from "../../../nets/files/values.ts";
import { pickOf, type Random, randomOf } from "../../faults/random.ts";
import { besideGolden, type Contents, contentsOf, GOLDEN, golden, goldenBytes } from "./golden.ts";
import { sealer } from "./reseal.ts";

/** The files of each format that are damaged. */
export const FORMATS: Readonly<Record<string, readonly string[]>> = {
  "PyTorch": ["torch_zip.pth"],
  "PyTorch before 1.6": ["torch_old.pth"],
  "npy": ["array.npy"],
  "npz": ["stored.npz", "packed.npz"],
  "pickle": ["flame.pkl", "flame_python2.pkl", "flame_4.pkl"],
  "MATLAB": ["model.mat", "model_packed.mat", "short.mat", "short_big.mat"],
  "HDF5": ["model.h5"],
  "TensorFlow": ["checkpoint.index", "snappy.index", "checkpoint.data-00000-of-00001"],
  "ONNX": ["network.onnx", "outside.onnx"],
  "safetensors": ["types.safetensors"],
};

/** Formats whose every byte of a tensor is under a checksum: what is read must be right. */
const CHECKED = /\.(npz|index)$|model_packed/;

/** Numbers that lengths, counts and addresses are replaced by. */
const NUMBERS = [0n, 1n, 0x7fn, 0xffn, 0xffffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];

/** Damages bytes. */
function damaged(bytes: Uint8Array<ArrayBuffer>, random: Random): { what: string; bytes: Uint8Array<ArrayBuffer> } {
  const copy = bytes.slice();
  const at = random(bytes.length);
  const view = new DataView(copy.buffer);
  const faults: Readonly<Record<string, () => Uint8Array<ArrayBuffer>>> = {
    flip() {
      for (let count = 1 + random(3); count > 0; count--) copy[random(copy.length)]! ^= 1 << random(8);
      return copy;
    },
    byte: () => (copy[at] = random(256), copy),
    cut: () => copy.slice(0, at),
    zeros: () => copy.fill(0, at, at + 1 + random(64)),
    number() {
      const size = pickOf([1, 2, 4, 8], random);
      if (at + size > copy.length) return copy.slice(0, at);
      const value = pickOf(NUMBERS, random);
      const little = random(2) === 0;
      if (size === 8) view.setBigUint64(at, value, little);
      else if (size === 4) view.setUint32(at, Number(value & 0xffffffffn), little);
      else if (size === 2) view.setUint16(at, Number(value & 0xffffn), little);
      else copy[at] = Number(value & 0xffn);
      return copy;
    },
    repeat() {
      const part = copy.subarray(at, at + 1 + random(32));
      return new Uint8Array([...copy.subarray(0, at), ...part, ...copy.subarray(at)]);
    },
    "left out": () => new Uint8Array([...copy.subarray(0, at), ...copy.subarray(at + 1 + random(32))]),
    swap() {
      const other = random(copy.length);
      const length = Math.min(1 + random(16), copy.length - Math.max(at, other));
      copy.set(bytes.subarray(at, at + length), other);
      copy.set(bytes.subarray(other, other + length), at);
      return copy;
    },
  };
  const [what, make] = pickOf(Object.entries(faults), random);
  return { what: `${what} at ${at}`, bytes: make() };
}

/** Bytes beyond twice a file's tensors that a case may take: what parsing a few kB takes. */
const SLACK = 1 << 20;
/** Milliseconds after which a case hangs; it takes one or two. */
const HANGS = 5000;
const UNCLEAR = /undefined|NaN|\[object|TypeError|RangeError|Invalid array|out of bounds/;

/** The file that a damaged one is read through: itself, or the index whose values it holds. */
function entryOf(name: string): string {
  return name.replace(/\.data-.*$/, ".index");
}

/** A damaged file, or its index with it beside. */
function sourceOf(name: string, bytes: Uint8Array<ArrayBuffer>): TensorSource {
  const entry = entryOf(name);
  return entry === name
    ? besideGolden(name, bytes)
    : { ...golden(entry), beside: (other) => Promise.resolve(bytesSource(bytes, other)) };
}

/** What became of one case: null where all was well. */
async function judge(
  name: string,
  { bytes, known, sealed }: { bytes: Uint8Array<ArrayBuffer>; known: Contents; sealed: boolean },
): Promise<string | null> {
  const before = Deno.memoryUsage().external;
  const start = performance.now();
  let held = 0;
  let fault: string | null = null;
  try {
    const file = await openTensors(sourceOf(name, bytes));
    held = [...file.tensors.values()].reduce(
      (sum, { shape, dtype }) => sum + DTYPE_BYTES[dtype] * shape.reduce((product, size) => product * size, 1),
      0,
    );
    const contents = await contentsOf(file);
    for (const [key, { dtype, shape, values }] of Object.entries(contents)) {
      if (values.length !== shape.reduce((product, size) => product * size, 1)) fault = `${key} does not fit its shape`;
      const truth = known[key];
      if (sealed || !CHECKED.test(entryOf(name)) || truth === undefined) continue;
      if (JSON.stringify(truth) !== JSON.stringify({ dtype, shape, values })) fault = `${key} is wrong`;
    }
  } catch (error) {
    const message = String(error);
    if (!(error instanceof TensorFileError)) fault = `crash: ${message}`;
    else if (
      UNCLEAR.test(message) || ![name, entryOf(name)].some((file) => message.includes(`Cannot read ${file}: `))
    ) fault = `unclear: ${message}`;
  }
  const taken = Deno.memoryUsage().external - before;
  if (taken > 2 * held + SLACK) fault ??= `took ${taken} bytes for tensors of ${held}`;
  return performance.now() - start > HANGS ? "hangs" : fault;
}

/** Damages a format's files so many times; returns what went wrong, a line a case. */
export async function damageFormat(format: string, cases: number): Promise<string[]> {
  const files = await Promise.all(FORMATS[format]!.map(async (name) => {
    const bytes = goldenBytes(name);
    return { name, bytes, known: GOLDEN[entryOf(name)]!, seal: await sealer(name, bytes) };
  }));
  const outcomes: string[] = [];
  for (let seed = 0; seed < cases; seed++) {
    const random = randomOf(seed);
    const { name, bytes, known, seal } = pickOf(files, random);
    const fault = damaged(bytes, random);
    // every other time the checksums are made to fit the damage
    const sealed = seal !== null && fault.bytes.length === bytes.length && random(2) === 0;
    if (sealed) seal(fault.bytes);
    const outcome = await judge(name, { bytes: fault.bytes, known, sealed });
    if (outcome !== null) outcomes.push(`${name}, seed ${seed}, ${fault.what}${sealed ? ", sealed" : ""}: ${outcome}`);
  }
  return outcomes;
}
