/**
 * NumPy's arrays as pickles hold them, with the two wrappers that FLAME's files use: chumpy's arrays, which are a NumPy
 * array in a state, and scipy's sparse matrices, which are three. And the walk over a pickle's dictionaries that finds
 * all tensors in them.
 */
import { isName, isObject, type PickledObject } from "./pickled_objects.ts";
import { TensorFileError } from "./source.ts";
import {
  countOf,
  type Dtype,
  DTYPE_BYTES,
  firstAxisClosest,
  type Opened,
  type StoredTensor,
  valuesOf,
} from "./values.ts";

/** NumPy's codes for the types. */
const NUMPY_TYPES: Readonly<Record<string, Dtype>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
};

const PLAIN_TYPES = new Set([
  "_codecs.encode",
  "numpy.dtype",
  "numpy.ndarray",
  "collections.OrderedDict",
  "collections.defaultdict",
  "argparse.Namespace",
  "copy_reg._reconstructor",
  "copyreg._reconstructor",
  "__builtin__.object",
  "builtins.object",
  "__builtin__.set",
  "builtins.set",
  "__builtin__.dict",
  "builtins.dict",
  "__builtin__.bytearray",
  "builtins.bytearray",
]);

/** Whether a name is of the types that this module knows: dictionaries, NumPy's arrays, chumpy's, scipy's sparse. */
export function isArrayType(name: string): boolean {
  return PLAIN_TYPES.has(name) || /^numpy\.(_)?core\.multiarray\.(_reconstruct|scalar)$/.test(name) ||
    /^chumpy\.[\w.]+\.[A-Z]\w*$/.test(name) || SPARSE.test(name);
}

const SPARSE = /^scipy\.sparse\.(?:_?cs[cr]\.)?(cs[cr])_(?:matrix|array)$/;

/** NumPy's description of a type, such as `<f8`. */
export function numpyType(text: string): { dtype: Dtype; bigEndian: boolean } | null {
  const [, order = "", code = ""] = /^([<>|=]?)(\w+)$/.exec(text) ?? [];
  const dtype = Object.hasOwn(NUMPY_TYPES, code) ? NUMPY_TYPES[code]! : null;
  return dtype === null ? null : { dtype, bigEndian: order === ">" };
}

/**
 * What an object of a pickle is: a tensor, or in words, or null where it may be a dictionary.
 *
 * @param fileBytes a sparse matrix is made dense, unless that would take more than the file
 */
export function pickledArray(value: PickledObject, fileBytes: number): StoredTensor | string | null {
  if (value.type.endsWith("multiarray._reconstruct")) return ndarray(value.state);
  if (value.type.endsWith("multiarray.scalar")) return scalar(value.args);
  const made = isName(value.args[0]) ? value.args[0].global : value.type;
  const { state } = value;
  if (SPARSE.test(made)) return sparse(state, { order: SPARSE.exec(made)![1]!, fileBytes });
  if (!made.startsWith("chumpy.")) return null;
  const inner = state instanceof Map ? state.get("x") : undefined;
  if (!isObject(inner)) return `a formula of chumpy (${made}), which is computed and not stored`;
  return pickledArray(inner, fileBytes) ?? `an object of ${made}`;
}

interface Walk {
  /** What an object is: a tensor, or in words, or null where it may be a dictionary. */
  readonly leaf: (value: PickledObject) => StoredTensor | string | null;
  /** More entries than the file has bytes cannot be: dictionaries that hold each other. */
  readonly most: number;
}

const DEEPEST = 32;
const LONGEST_NAME = 2000;

/** All tensors in dictionaries and lists, named by their keys with points between. */
export function tensorsIn(root: unknown, { leaf, most }: Walk): Pick<Opened, "tensors" | "skipped"> {
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  let visited = 0;
  const visit = (value: unknown, { name, depth }: { name: string; depth: number }): void => {
    visited++;
    if (visited > most || depth > DEEPEST || name.length > LONGEST_NAME) {
      throw new TensorFileError("it is damaged: its dictionaries hold each other");
    }
    const found = isObject(value) ? leaf(value) : null;
    if (typeof found === "string") skipped.set(name, found);
    else if (found !== null) tensors.set(name, found);
    else if (isObject(value) || value instanceof Map) {
      for (const [key, inner] of entriesOf(value)) {
        if (typeof key !== "string" && typeof key !== "number") continue;
        visit(inner, { name: name === "" ? `${key}` : `${name}.${key}`, depth: depth + 1 });
      }
    } else if (Array.isArray(value)) {
      value.forEach((inner, i) => {
        if (isObject(inner) || inner instanceof Map || Array.isArray(inner)) {
          visit(inner, { name: name === "" ? `${i}` : `${name}.${i}`, depth: depth + 1 });
        }
      });
    } else if (name !== "") skipped.set(name, inWords(value));
  };
  visit(root, { name: "", depth: 0 });
  return { tensors, skipped };
}

/** What a dictionary holds; a state dict of PyTorch has a state too, its `_metadata`, which is not its tensors. */
function entriesOf(value: PickledObject | Map<unknown, unknown>): Map<unknown, unknown> {
  if (value instanceof Map) return value;
  return value.items.size === 0 && value.state instanceof Map ? value.state : value.items;
}

/** Numbers of a list or tuple. */
export function wholeNumbers(value: unknown): number[] {
  if (!Array.isArray(value) || !value.every((one) => Number.isSafeInteger(one))) {
    throw new TensorFileError("it is damaged: a shape in its pickle is no list of whole numbers");
  }
  return value;
}

function inWords(value: unknown): string {
  if (isName(value)) return `the name ${value.global}`;
  return value === null ? "None" : value instanceof Uint8Array ? "a text" : `a ${typeof value}`;
}

/** `(version, shape, type, Fortran, bytes)`. */
function ndarray(state: unknown): StoredTensor | string {
  if (!Array.isArray(state) || state.length < 5) {
    throw new TensorFileError("it is damaged: an array in it has no state");
  }
  const [shape, type, fortran, raw] = state.slice(-4);
  const found = typeOf(type);
  if (found === null) return "an array of Python objects or of texts";
  const sizes = wholeNumbers(shape);
  const bytes = bytesOf(raw);
  const needed = countOf(sizes) * DTYPE_BYTES[found.dtype];
  if (bytes.length !== needed) {
    throw new TensorFileError(`it is damaged: an array [${sizes}] takes ${needed} bytes, and has ${bytes.length}`);
  }
  const strides = fortran === true || fortran === 1 ? { strides: firstAxisClosest(sizes) } : {};
  return { shape: sizes, ...found, ...strides, bytes: () => Promise.resolve(bytes) };
}

function scalar([type, raw]: readonly unknown[]): StoredTensor | string {
  const found = typeOf(type);
  if (found === null) return "a value of an unknown type";
  const bytes = bytesOf(raw);
  if (bytes.length !== DTYPE_BYTES[found.dtype]) throw new TensorFileError("it is damaged: a value has a wrong length");
  return { shape: [], ...found, bytes: () => Promise.resolve(bytes) };
}

/** `numpy.dtype('f8', 0, 1)` with the state `(3, '<', …)`. */
function typeOf(type: unknown): { dtype: Dtype; bigEndian: boolean } | null {
  if (!isObject(type) || type.type !== "numpy.dtype") return null;
  const order = Array.isArray(type.state) ? type.state[1] : "<";
  return numpyType(`${order === ">" ? ">" : ""}${type.args[0]}`);
}

/** Bytes as Python 3 has them, as a text of Python 2, or as the text that Python 3 writes for Python 2. */
function bytesOf(raw: unknown): Uint8Array<ArrayBuffer> {
  if (raw instanceof Uint8Array) return raw as Uint8Array<ArrayBuffer>;
  const text = isObject(raw) && raw.type === "_codecs.encode" ? raw.args[0] : raw;
  if (typeof text !== "string") throw new TensorFileError("it is damaged: an array in it has no bytes");
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A sparse matrix by columns (csc) or rows (csr), as the dense matrix that it stands for. */
function sparse(
  state: unknown,
  { order, fileBytes }: { order: string; fileBytes: number },
): StoredTensor | string {
  const get = (name: string) => state instanceof Map ? state.get(name) ?? state.get(`_${name}`) : undefined;
  const part = (name: string) => {
    const value = get(name);
    const array = isObject(value) ? pickledArray(value, fileBytes) : null;
    if (array === null || typeof array === "string") {
      throw new TensorFileError(`it is damaged: a sparse matrix in it has no ${name}`);
    }
    return array;
  };
  const [data, indices, indptr] = [part("data"), part("indices"), part("indptr")];
  const shape = wholeNumbers(get("shape"));
  const [rows = 0, columns = 0] = shape;
  const size = countOf(shape) * DTYPE_BYTES.float64;
  if (shape.length !== 2) throw new TensorFileError("it is damaged: a sparse matrix in it has no shape");
  if (size > fileBytes) return `a sparse matrix [${shape}], which is too large to be made dense`;
  return {
    shape,
    dtype: "float64",
    async bytes() {
      const dense = new Float64Array(rows * columns);
      const [values, inner, starts] = [await valuesOf(data), await valuesOf(indices), await valuesOf(indptr)];
      const [outer, width] = order === "csc" ? [columns, rows] : [rows, columns];
      for (let i = 0; i < outer; i++) {
        for (let at = Number(starts[i]); at < Number(starts[i + 1]); at++) {
          const j = Number(inner[at]);
          if (!(j >= 0 && j < width && at < values.length)) {
            throw new TensorFileError("it is damaged: a sparse matrix refers to what it does not have");
          }
          dense[order === "csc" ? j * columns + i : i * columns + j]! += Number(values[at]);
        }
      }
      return new Uint8Array(dense.buffer);
    },
  };
}
