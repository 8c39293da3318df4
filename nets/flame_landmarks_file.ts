/**
 * FLAME's landmarks as DECA ships them (`data/landmark_embedding.npy`): a NumPy file of one Python dictionary, whose
 * arrays are NumPy's and, for the contour, PyTorch's. It is read as the other files are: names are looked at, and
 * nothing is run.
 */
import { CONTOUR_POINTS, CONTOUR_TURNS, type FlameLandmarks, type SurfacePoints } from "../face/flame_model.ts";
import { unpickle } from "./files/pickle.ts";
import { isArrayType, pickledArray, tensorsIn, wholeNumbers } from "./files/pickled_arrays.ts";
import { isName, isObject, type PickledObject } from "./files/pickled_objects.ts";
import { cursorOf, latin1, readRange, TensorFileError, type TensorSource } from "./files/source.ts";
import { countOf, DTYPE_BYTES, type StoredTensor, toFloats, valuesOf } from "./files/values.ts";

const INNER = 51;
const ALL = 68;
/** Longer than any header that NumPy writes. */
const LONGEST_HEADER = 10_000;
const REBUILT = "torch._utils._rebuild_tensor_v2";
const LOADED = "torch.storage._load_from_bytes";
const STORAGES = {
  "torch.LongStorage": "int64",
  "torch.FloatStorage": "float32",
  "torch.DoubleStorage": "float64",
} as const;

/**
 * Reads the landmarks.
 *
 * @param options.triangles how many triangles the mesh has
 * @throws {TensorFileError} if the file is damaged, holds something else, or names a triangle that is none
 */
export async function readFlameLandmarks(
  source: TensorSource,
  { triangles }: { triangles: number },
): Promise<FlameLandmarks> {
  try {
    const tensors = await openDictionary(source);
    const points = async (name: string, shape: readonly number[]): Promise<SurfacePoints> => {
      const count = countOf(shape);
      const indices = Uint32Array.from(await read(tensors, { name: `${name}_faces_idx`, count }), Number);
      const bad = indices.find((triangle) => triangle >= triangles);
      if (bad !== undefined) {
        throw new TensorFileError(`"${name}_faces_idx" names triangle ${bad}, and there are ${triangles}`);
      }
      const weights = toFloats(await read(tensors, { name: `${name}_bary_coords`, count: 3 * count }));
      return { triangles: indices, weights };
    };
    return {
      fixed: await points("full_lmk", [1, ALL]),
      inner: await points("static_lmk", [INNER]),
      contours: await points("dynamic_lmk", [CONTOUR_TURNS, CONTOUR_POINTS]),
    };
  } catch (error) {
    if (!(error instanceof TensorFileError || error instanceof RangeError)) throw error;
    throw new TensorFileError(`Cannot read ${source.name}: ${error.message}`, { cause: error });
  }
}

async function read(
  tensors: ReadonlyMap<string, StoredTensor>,
  { name, count }: { name: string; count: number },
) {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new TensorFileError(`it has no array "${name}". Expected is landmark_embedding.npy of DECA`);
  }
  if (countOf(tensor.shape) !== count) {
    throw new TensorFileError(`"${name}" must have ${count} values, and it is [${tensor.shape}]`);
  }
  return await valuesOf(tensor);
}

/** The tensors of the dictionary that a NumPy file of one object holds. */
async function openDictionary(source: TensorSource): Promise<ReadonlyMap<string, StoredTensor>> {
  const bytes = await readRange(source, { begin: 0, length: source.size });
  const start = cursorOf(bytes);
  const isNumpy = bytes.length > 12 && start.text(6) === "\x93NUMPY";
  const version = isNumpy ? start.u8() : 0;
  if (isNumpy) start.u8();
  const length = version === 0 ? 0 : version === 1 ? start.u16() : start.u32();
  const header = isNumpy && length <= LONGEST_HEADER ? latin1(start.bytes(length)) : "";
  if (!/'descr'\s*:\s*'\|O'/.test(header) || !/'shape'\s*:\s*\(\s*\)/.test(header)) {
    throw new TensorFileError("it is no NumPy file of one Python object. Expected is landmark_embedding.npy of DECA");
  }
  const { value } = unpickle(bytes.subarray(start.at), { knows });
  const state = isObject(value) && Array.isArray(value.state) ? value.state.at(-1) : undefined;
  const root = Array.isArray(state) && state.length === 1 ? state[0] : undefined;
  if (!(root instanceof Map)) throw new TensorFileError("its Python object is no dictionary");
  const leaf = (object: PickledObject) => torchTensor(object) ?? pickledArray(object, source.size);
  return tensorsIn(root, { leaf, most: bytes.length }).tensors;
}

function knows(name: string): boolean {
  return name === REBUILT || name === LOADED || Object.hasOwn(STORAGES, name) || isArrayType(name);
}

/** A tensor that is pickled by itself: its storage is an archive of before version 1.6, in bytes. */
function torchTensor(object: PickledObject): StoredTensor | null {
  if (object.type !== REBUILT) return null;
  const [storage, start, size, steps] = object.args;
  const archive = isObject(storage) && storage.type === LOADED ? storage.args[0] : undefined;
  if (!(archive instanceof Uint8Array)) throw new TensorFileError("it is damaged: a tensor in it has no storage");
  const { dtype, data } = openStorage(archive as Uint8Array<ArrayBuffer>);
  const shape = wholeNumbers(size);
  const plain = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
  if (start !== 0 || String(wholeNumbers(steps)) !== String(plain)) {
    throw new TensorFileError("it is damaged: a tensor in it is a part of something else");
  }
  return { shape, dtype, bytes: () => Promise.resolve(data) };
}

/** Four pickles (magic, protocol, system, storage), one with the storage's key, a count of 8 bytes, the values. */
function openStorage(
  bytes: Uint8Array<ArrayBuffer>,
): { dtype: typeof STORAGES[keyof typeof STORAGES]; data: Uint8Array<ArrayBuffer> } {
  let rest = bytes;
  const next = () => {
    const { value, end } = unpickle(rest, { knows });
    rest = rest.subarray(end);
    return value;
  };
  next();
  next();
  next();
  const storage = next();
  next();
  const type = isObject(storage) && storage.type === "persistent" ? storage.args[1] : undefined;
  const name = isName(type) && Object.hasOwn(STORAGES, type.global) ? type.global as keyof typeof STORAGES : null;
  if (name === null) throw new TensorFileError("it is damaged: a storage in it has no known type");
  const cursor = cursorOf(rest);
  const length = cursor.u64() * DTYPE_BYTES[STORAGES[name]];
  return { dtype: STORAGES[name], data: cursor.bytes(length) };
}
