/**
 * The weights (initialisers) of an ONNX network, also where they lie in a file of their own. ONNX Runtime runs such
 * files; this reads what they hold without running them.
 *
 * Ours because no package fits: `onnx-proto` decodes the whole file into objects. Format: onnx.proto3.
 */
import { addNumbers, fieldsOf, textOf } from "./protobuf.ts";
import { readRange, safe, TensorFileError, type TensorSource } from "./source.ts";
import { countOf, type Dtype, DTYPE_BYTES, type Opened, type StoredTensor } from "./values.ts";

/** `TensorProto.DataType`. */
const TYPES: Readonly<Record<number, Dtype>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  16: "bfloat16",
};
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, floats: 4, doubles: 10, external: 13 };
/** Values that are whole numbers of 7 bits a byte, and not in memory's form. */
const NUMBERS = [5, 7, 11];

/** Opens a network. */
export async function openOnnx(source: TensorSource): Promise<Opened> {
  const tensors = new Map<string, StoredTensor>();
  const skipped = new Map<string, string>();
  let nodes = 0;
  for await (const field of fieldsOf(source, { begin: 0, end: source.size })) {
    if (field.number !== MODEL.graph || field.begin === field.end) continue;
    for await (const inner of fieldsOf(source, field)) {
      if (inner.number === GRAPH.node) nodes++;
      if (inner.number !== GRAPH.initializer) continue;
      const { name, found } = await openInitialiser(source, inner);
      if (typeof found === "string") skipped.set(name, found);
      else tensors.set(name, found);
    }
  }
  if (nodes === 0) throw new TensorFileError("it is no ONNX network: it has no graph");
  return { format: "ONNX network", tensors, skipped };
}

async function openInitialiser(
  source: TensorSource,
  range: { begin: number; end: number },
): Promise<{ name: string; found: StoredTensor | string }> {
  const dims: bigint[] = [];
  let [name, type, numbers] = ["", 0, false];
  let place: { source: TensorSource; begin: number; length: number } | null = null;
  const external = new Map<string, string>();
  for await (const field of fieldsOf(source, range)) {
    if (field.number === TENSOR.dims) await addNumbers(dims, { source, field });
    else if (field.number === TENSOR.type) type = safe(field.value);
    else if (field.number === TENSOR.name) name = await textOf(source, field);
    else if ([TENSOR.raw, TENSOR.floats, TENSOR.doubles].includes(field.number)) {
      place = { source, begin: field.begin, length: field.end - field.begin };
    } else if (NUMBERS.includes(field.number)) numbers = true;
    else if (field.number === TENSOR.external) {
      const pair = ["", ""];
      for await (const part of fieldsOf(source, field)) pair[part.number - 1] = await textOf(source, part);
      external.set(pair[0]!, pair[1]!);
    }
  }
  const dtype = TYPES[type];
  if (dtype === undefined) return { name, found: `values of ONNX's type ${type}` };
  const shape = dims.map(safe);
  const length = countOf(shape) * DTYPE_BYTES[dtype];
  if (external.size > 0) place = await placeOutside(source, { external, length });
  if (place === null && numbers) return { name, found: "whole numbers in ONNX's short form" };
  if (place === null && length > 0) throw new TensorFileError(`it is damaged: "${name}" has no values`);
  if (place !== null && place.length !== length) {
    throw new TensorFileError(`it is damaged: "${name}" [${shape}] takes ${length} bytes, and has ${place.length}`);
  }
  const bytes = place === null ? () => Promise.resolve(new Uint8Array()) : readAt(place);
  return { name, found: { shape, dtype, bytes } };
}

function readAt({ source, begin, length }: { source: TensorSource; begin: number; length: number }) {
  return () => readRange(source, { begin, length });
}

/** Where the values lie in a file beside the network's. */
async function placeOutside(
  source: TensorSource,
  { external, length: needed }: { external: ReadonlyMap<string, string>; length: number },
) {
  const location = external.get("location") ?? "";
  if (!/^[\w.-]+$/.test(location) || /^\.+$/.test(location)) {
    throw new TensorFileError(`its values lie in "${location}", which is no file beside it`);
  }
  const other = await source.beside?.(location) ?? null;
  if (other === null) {
    throw new TensorFileError(`its values lie in ${location}, which is not there. Put it beside the file`);
  }
  const [begin, length] = [Number(external.get("offset") ?? 0), Number(external.get("length") ?? needed)];
  if (!(begin >= 0 && length >= 0 && begin + length <= other.size)) {
    throw new TensorFileError(`${location} is cut off or of another network: it has ${other.size} bytes`);
  }
  return { source: other, begin, length };
}
