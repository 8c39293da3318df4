/**
 * PyTorch's files: the zip archives of version 1.6 on, and the archives of before, such as torchvision's VGG-19. Both
 * are a pickle that describes tensors and refers to storages, which are read by range.
 *
 * Ours because no package on npm reads them. Format: torch/serialization.py (BSD), `_save` and `_legacy_save`.
 */
import { unpickle, type Unpickled } from "./pickle.ts";
import { isArrayType, pickledArray, tensorsIn, wholeNumbers } from "./pickled_arrays.ts";
import { isName, isObject, type PickledObject } from "./pickled_objects.ts";
import { cursorOf, cutOff, CutOffError, readRange, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype, DTYPE_BYTES, type Opened, spanOf, type StoredTensor } from "./values.ts";
import { readMember, type ZipMember } from "./zip.ts";

/** The number that an archive of before 1.6 begins with, as its first pickle. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Bytes that a pickle of an archive of before 1.6 is first looked for in. */
const FIRST_LOOK = 1 << 16;

const STORAGES: Readonly<Record<string, Dtype>> = {
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.FloatStorage": "float32",
  "torch.DoubleStorage": "float64",
  "torch.CharStorage": "int8",
  "torch.ShortStorage": "int16",
  "torch.IntStorage": "int32",
  "torch.LongStorage": "int64",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
};

const TENSORS = new Set(["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"]);
const PARAMETERS = new Set(["torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"]);
/** What optimisers' states and checkpoints hold besides. */
const OTHERS = /^torch\.(Size|device|float16|bfloat16|float32|float64|int8|int16|int32|int64|uint8|bool)$/;

/** Gets bytes of a storage. */
type ReadStorage = (key: string, range: { begin: number; length: number }) => Promise<Uint8Array<ArrayBuffer>>;

interface Storages {
  /** Bytes of a storage that the file has, or null where it has none of that name. */
  sizeOf(key: string): number | null;
  readonly read: ReadStorage;
  readonly bigEndian: boolean;
}

/** What a storage holds, or undefined. Old archives of a GPU's tensors say so in the name. */
function storageType(name: string): Dtype | undefined {
  const plain = name.replace("torch.cuda.", "torch.");
  return Object.hasOwn(STORAGES, plain) ? STORAGES[plain] : undefined;
}

function knows(name: string): boolean {
  return storageType(name) !== undefined || TENSORS.has(name) || PARAMETERS.has(name) || OTHERS.test(name) ||
    isArrayType(name);
}

/** Whether a member list is that of a PyTorch archive; returns its folder in the archive. */
export function torchFolder(members: ReadonlyMap<string, ZipMember>): string | null {
  const pickle = [...members.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  return pickle === undefined ? null : pickle.slice(0, -"data.pkl".length);
}

/** Opens an archive of version 1.6 or later. */
export async function openTorchZip(
  source: TensorSource,
  { members, folder }: { members: ReadonlyMap<string, ZipMember>; folder: string },
): Promise<Opened> {
  if ([...members.keys()].some((name) => name.startsWith(`${folder}code/`))) {
    throw new TensorFileError(
      "it is a TorchScript program, which holds code. Expected are weights alone, as state_dict() gives them",
    );
  }
  const byteOrder = members.get(`${folder}byteorder`);
  const text = byteOrder && new TextDecoder().decode(await readMember(source, { member: byteOrder }));
  const bytes = await readMember(source, { member: members.get(`${folder}data.pkl`)! });
  const { value } = unpickle(bytes, { knows });
  const memberOf = (key: string) => members.get(`${folder}data/${key}`);
  const storages: Storages = {
    sizeOf: (key) => memberOf(key)?.size ?? null,
    read: (key, range) => readMember(source, { member: memberOf(key)!, ...range }),
    bigEndian: text?.trim() === "big",
  };
  const leaf = (object: PickledObject) => tensorOf(object, storages) ?? pickledArray(object, source.size);
  return { format: "PyTorch archive", ...tensorsIn(value, { leaf, most: bytes.length }) };
}

/** Whether a first pickle is that of an archive of before 1.6. */
export function isOldArchive(head: Uint8Array<ArrayBuffer>): boolean {
  try {
    return unpickle(head, { knows: () => false }).value === MAGIC;
  } catch (error) {
    if (error instanceof TensorFileError) return false;
    throw error;
  }
}

/** Opens an archive of before 1.6: five pickles and then the storages, each with its length. */
export async function openOldTorch(source: TensorSource): Promise<Opened> {
  const first = await nextPickle(source, 0);
  const second = await nextPickle(source, first.end);
  if (second.value !== PROTOCOL) {
    throw new TensorFileError(`it is of PyTorch's protocol ${second.value}, not ${PROTOCOL}`);
  }
  const system = await nextPickle(source, second.end);
  const content = await nextPickle(source, system.end);
  const keys = await nextPickle(source, content.end);
  if (!Array.isArray(keys.value)) throw new TensorFileError("it is damaged: the list of its storages is absent");
  const types = new Map<string, Dtype>();
  const places = new Map<string, { begin: number; length: number }>();
  const storages: Storages = {
    sizeOf: (key) => places.get(key)?.length ?? null,
    read: (key, { begin, length }) => readRange(source, { begin: places.get(key)!.begin + begin, length }),
    // these archives are little-endian wherever they were written
    bigEndian: false,
  };
  storageTypes(content.value, types);
  let at = keys.end;
  for (const key of keys.value.map(String)) {
    const dtype = types.get(key);
    if (dtype === undefined) throw new TensorFileError(`it is damaged: nothing says what its storage ${key} holds`);
    const head = await readRange(source, { begin: at, length: 8 });
    const length = cursorOf(head).u64() * DTYPE_BYTES[dtype];
    if (at + 8 + length > source.size) throw cutOff(at + 8 + length, source.size);
    places.set(key, { begin: at + 8, length });
    at += 8 + length;
  }
  const leaf = (object: PickledObject) => tensorOf(object, storages) ?? pickledArray(object, source.size);
  const most = keys.end - system.end;
  return { format: "PyTorch archive of before version 1.6", ...tensorsIn(content.value, { leaf, most }) };
}

/** Reads a pickle at a place; how long it is, only its end tells. */
async function nextPickle(source: TensorSource, begin: number): Promise<Unpickled> {
  for (let length = FIRST_LOOK;; length *= 4) {
    const all = begin + length >= source.size;
    const bytes = await readRange(source, { begin, length: all ? Math.max(0, source.size - begin) : length });
    try {
      const { value, end } = unpickle(bytes, { knows });
      return { value, end: begin + end };
    } catch (error) {
      if (all || !(error instanceof CutOffError)) throw error;
    }
  }
}

/** The persistent id of a storage: `('storage', type, key, location, elements[, view])`. */
function storageOf(value: unknown): { dtype: Dtype; key: string; count: number } {
  const args: readonly unknown[] = isObject(value) && value.type === "persistent" ? value.args : [];
  const [kind, type, key, , count, view = null] = args;
  const isKey = typeof key === "string" || typeof key === "number";
  if (kind !== "storage" || !isName(type) || !isKey || !Number.isSafeInteger(count)) {
    throw new TensorFileError("it is damaged: a tensor in it refers to no storage");
  }
  const dtype = storageType(type.global);
  if (dtype === undefined || view !== null) {
    throw new TensorFileError(
      `it has values of ${type.global}${view === null ? "" : " in a view"}, which no reader knows`,
    );
  }
  return { dtype, key: String(key), count: Number(count) };
}

/** A tensor that `_rebuild_tensor_v2(storage, offset, shape, strides, …)` would make; null for another call. */
function tensorOf(object: PickledObject, storages: Storages): StoredTensor | null {
  if (PARAMETERS.has(object.type)) {
    const [inner] = object.args;
    if (!isObject(inner)) throw new TensorFileError("it is damaged: a parameter in it is no tensor");
    return tensorOf(inner, storages);
  }
  if (!TENSORS.has(object.type)) return null;
  const [place, start, size, steps] = object.args;
  const { dtype, key, count } = storageOf(place);
  const [shape, strides] = [wholeNumbers(size), wholeNumbers(steps)];
  const [bytes, offset] = [DTYPE_BYTES[dtype], Number(start)];
  const there = storages.sizeOf(key);
  if (there === null) throw new TensorFileError(`it is damaged: its storage ${key} is absent`);
  if (there !== count * bytes) {
    throw new TensorFileError(`it is damaged: its storage ${key} has ${there} bytes instead of ${count * bytes}`);
  }
  const isOdd = strides.length !== shape.length || !strides.every((step) => step >= 0) || !(offset >= 0);
  const span = isOdd ? 0 : spanOf({ shape, strides });
  if (isOdd || !Number.isSafeInteger(offset) || offset + span > count || countOf(shape) > span) {
    throw new TensorFileError(`it is damaged: a tensor [${shape}] reaches beyond its storage or repeats its values`);
  }
  const { bigEndian } = storages;
  const range = { begin: offset * bytes, length: span * bytes };
  return { shape, strides, dtype, bigEndian, bytes: () => storages.read(key, range) };
}

/** Collects what each storage holds, which its own bytes do not say. */
function storageTypes(root: unknown, types: Map<string, Dtype>): void {
  const seen = new Set<unknown>();
  const waiting = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) waiting.push(...[...value.values()].filter((one) => one !== undefined));
    else if (Array.isArray(value)) waiting.push(...value.filter((one) => one !== undefined));
    else if (isObject(value) && value.type === "persistent") {
      const { key, dtype } = storageOf(value);
      types.set(key, dtype);
    } else if (isObject(value)) waiting.push(value.args, value.items, value.state ?? null);
  }
}
