/** Writes PyTorch's archives of before version 1.6, for weights that are too large to be committed. */
import { DTYPE_BYTES } from "../../../nets/files/values.ts";
import { bytesOf, joined, type Part } from "./parts.ts";

/** Tensors by name; one without data is of zeros. */
type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> | null }>
>;

const encoder = new TextEncoder();
const PROTOCOL_2 = [0x80, 2];

function int(value: number): number[] {
  return [74, ...new Uint8Array(Int32Array.of(value).buffer)]; // J
}

function text(value: string): number[] {
  const bytes = encoder.encode(value);
  return [88, ...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes]; // X
}

function name(module: string, member: string): number[] {
  return [99, ...encoder.encode(`${module}\n${member}\n`)]; // c
}

function tuple(items: readonly (readonly number[])[]): number[] {
  return [40, ...items.flat(), 116]; // ( t
}

/** The bytes of `torch.save(tensors, path, _use_new_zipfile_serialization=False)`. */
export function oldTorchArchive(tensors: Tensors): Uint8Array<ArrayBuffer> {
  return joined(oldTorchParts(tensors));
}

/** The same in parts. */
export function oldTorchParts(tensors: Tensors): Part[] {
  const entries = Object.entries(tensors);
  const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  const magic = [...PROTOCOL_2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 46];
  const items = entries.flatMap(([key, { shape }], i) => {
    const storage = tuple([
      text("storage"),
      name("torch", "FloatStorage"),
      text(`${i}`),
      text("cpu"),
      int(countOf(shape)),
      [78], // N
    ]);
    const strides = shape.map((_, axis) => countOf(shape.slice(axis + 1)));
    const args = tuple([
      [...storage, 81], // Q
      int(0),
      tuple(shape.map(int)),
      tuple(strides.map(int)),
      [0x89], // False
      [...name("collections", "OrderedDict"), 41, 82], // ) R
    ]);
    return [...text(key), ...name("torch._utils", "_rebuild_tensor_v2"), ...args, 82, 115]; // R s
  });
  const pickles = [
    magic,
    [...PROTOCOL_2, ...int(1001), 46],
    [...PROTOCOL_2, 125, ...text("little_endian"), 0x88, 115, 46], // } … True s .
    [...PROTOCOL_2, 125, ...items, 46],
    [...PROTOCOL_2, 93, ...entries.flatMap((_, i) => [...text(`${i}`), 97]), 46], // ] a .
  ];
  return [
    Uint8Array.from(pickles.flat()),
    ...entries.flatMap(([, { shape, data }]) => [
      bytesOf(BigInt64Array.of(BigInt(countOf(shape)))),
      data === null ? DTYPE_BYTES.float32 * countOf(shape) : bytesOf(data),
    ]),
  ];
}
