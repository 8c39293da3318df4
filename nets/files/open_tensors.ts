/**
 * Opens a file of tensors as its authors ship it, whatever its format: PyTorch, NumPy, Python pickles of arrays,
 * MATLAB, HDF5, TensorFlow, ONNX, safetensors. The bytes tell the format; the name's ending is not trusted. Opening
 * reads what describes the tensors, and reading one tensor reads that tensor's bytes alone.
 */
import { HDF5_MAGIC, openHdf5 } from "./hdf5.ts";
import { isMatlab5, openMatlab5 } from "./matlab5.ts";
import { notTensors } from "./not_tensors.ts";
import { NPY_MAGIC, openNpy, openNpz } from "./numpy_file.ts";
import { openOnnx } from "./onnx_weights.ts";
import { unpickle } from "./pickle.ts";
import { isArrayType, pickledArray, tensorsIn } from "./pickled_arrays.ts";
import { isSafetensors, openSafetensors } from "./safetensors_file.ts";
import { latin1, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { isCheckpointIndex, openCheckpoint } from "./tensorflow_checkpoint.ts";
import { isOldArchive, openOldTorch, openTorchZip, torchFolder } from "./torch_archive.ts";
import { type Opened, type TensorInfo, type TensorValues, toFloats, valuesOf } from "./values.ts";
import { zipMembers } from "./zip.ts";

/** An open file. */
export interface TensorFile {
  /** For messages. */
  readonly name: string;
  /** For example `PyTorch archive`. */
  readonly format: string;
  /** By name, in the file's order. What lies in dictionaries has their keys in front: `E_flame.layers.0.weight`. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What is there and is no dense tensor of numbers: name → what it is. */
  readonly skipped: ReadonlyMap<string, string>;
  /**
   * A tensor's values in the machine's byte order, the last axis closest.
   *
   * @throws {TensorFileError} if there is none of that name, or its bytes are damaged
   */
  read(name: string): Promise<TensorValues>;
}

/** How to open. */
export interface OpenOptions {
  /** What is taken off the front of names, such as `module.`, which PyTorch's `DataParallel` puts there. */
  readonly strip?: readonly string[];
}

/** Bytes that tell the format, and what was saved in its place. */
const HEAD = 1024;

/**
 * Opens a file.
 *
 * @throws {TensorFileError} naming the file, what it is instead of one with tensors, and what to do
 */
export async function openTensors(source: TensorSource, { strip = [] }: OpenOptions = {}): Promise<TensorFile> {
  const opened = await named(source, () => openAny(source));
  const names = new Map<string, string>();
  for (const full of opened.tensors.keys()) {
    const prefix = strip.find((prefix) => full.startsWith(prefix)) ?? "";
    const name = full.slice(prefix.length);
    if (names.has(name)) {
      throw new TensorFileError(`Cannot read ${source.name}: it has both "${names.get(name)}" and "${full}"`);
    }
    names.set(name, full);
  }
  return {
    name: source.name,
    format: opened.format,
    tensors: new Map([...names].map(([name, full]) => [name, infoOf(opened.tensors.get(full)!)])),
    skipped: opened.skipped,
    async read(name) {
      const tensor = opened.tensors.get(names.get(name) ?? "\0");
      if (tensor === undefined) throw new TensorFileError(`Cannot read ${source.name}: ${absent(name, opened)}`);
      return await named(source, () => valuesOf(tensor));
    },
  };
}

/**
 * A tensor that must have a certain shape, as `Float32Array`: other types are converted, half precision exactly.
 *
 * @throws {TensorFileError} if it is absent or has another shape
 */
export async function readFloats(
  file: TensorFile,
  { name, shape }: { name: string; shape: readonly number[] },
): Promise<Float32Array<ArrayBuffer>> {
  const found = file.tensors.get(name);
  if (found !== undefined && String(found.shape) !== String(shape)) {
    throw new TensorFileError(`Cannot read ${file.name}: "${name}" must be [${shape}], and it is [${found.shape}]`);
  }
  return toFloats(await file.read(name));
}

function infoOf({ shape, dtype, bigEndian = false }: TensorInfo): TensorInfo {
  return { shape, dtype, bigEndian };
}

function absent(name: string, { format, tensors, skipped }: Opened): string {
  const other = skipped.get(name);
  if (other !== undefined) return `"${name}" is ${other}, not a tensor`;
  const some = [...tensors.keys()].slice(0, 3).map((one) => `"${one}"`).join(", ");
  const more = tensors.size > 3 ? ", …" : "";
  return `this ${format} has no tensor "${name}". It has ${tensors.size}: ${some}${more}. It is of another network`;
}

/** Says which file an error is of. What a damaged file can make a reader do besides, such as a call too deep, too. */
async function named<T>(source: TensorSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TensorFileError) {
      throw new TensorFileError(`Cannot read ${source.name}: ${error.message}`, { cause: error });
    }
    if (!(error instanceof RangeError)) throw error;
    throw new TensorFileError(`Cannot read ${source.name}: it is damaged (${error.message})`, { cause: error });
  }
}

async function openAny(source: TensorSource): Promise<Opened> {
  const head = await readRange(source, { begin: 0, length: Math.min(HEAD, source.size) });
  const start = latin1(head.subarray(0, 8));
  const other = notTensors(source, head);
  // a pickle or a TensorFlow index has no mark of its own at its start, but none begins as these do
  if (other !== null) throw new TensorFileError(other);
  if (start.startsWith("PK\x03\x04")) return await openZip(source);
  if (start.startsWith(NPY_MAGIC)) return await openNpy(source);
  if (start.startsWith(HDF5_MAGIC)) return await openHdf5(source);
  if (isMatlab5(head)) return await openMatlab5(source);
  if (isSafetensors(head)) return await openSafetensors(source);
  if (await isCheckpointIndex(source)) return await openCheckpoint(source);
  if (start.startsWith("\x80") && head[1]! <= 5) return await openPickle(source, head);
  if (/\.data-\d{5}-of-\d{5}$/.test(source.name)) {
    throw new TensorFileError("it is the part of a TensorFlow checkpoint that holds values. Name the .index beside it");
  }
  if (/^\([dli]p\d/.test(start)) {
    throw new TensorFileError("it is a pickle of protocol 0, in text. Expected is one of protocol 2 or later");
  }
  if (head[0] === 8) return await openOnnx(source);
  throw new TensorFileError(
    "its format is none of those that are known: PyTorch, NumPy, a pickle of protocol 2 or later, MATLAB 5, HDF5, " +
      "a TensorFlow checkpoint's .index, ONNX, safetensors",
  );
}

async function openZip(source: TensorSource): Promise<Opened> {
  const members = await zipMembers(source);
  const folder = torchFolder(members);
  if (folder !== null) return await openTorchZip(source, { members, folder });
  if ([...members.keys()].some((name) => name.endsWith(".npy"))) return await openNpz(source, members);
  const some = [...members.keys()].slice(0, 3).join(", ");
  throw new TensorFileError(`it is a zip archive of ${some}. Unpack it, and put what is inside into its place`);
}

async function openPickle(source: TensorSource, head: Uint8Array<ArrayBuffer>): Promise<Opened> {
  if (isOldArchive(head)) return await openOldTorch(source);
  const bytes = await readRange(source, { begin: 0, length: source.size });
  const { value } = unpickle(bytes, { knows: isArrayType });
  const leaf = (object: Parameters<typeof pickledArray>[0]) => pickledArray(object, source.size);
  return { format: "Python pickle", ...tensorsIn(value, { leaf, most: source.size }) };
}
