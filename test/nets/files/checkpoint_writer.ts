/** TensorFlow's checkpoints of single floats, as `tf.train.Saver` writes them: an index and one file of values. */
import { maskedCrc32c } from "../../../nets/files/checksum.ts";
import { bytesSource, type TensorSource } from "../../../nets/files/source.ts";
import type { DrawnTensor } from "../../golden/drawn.ts";
import { bytesOf, joined } from "./parts.ts";

const FLOAT = 1;
/** Of a field whose value is a varint, a message of some length, or four bytes. */
const [VARINT, MESSAGE, FIXED] = [0, 2, 5];

function varint(value: number): number[] {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}

const field = (number: number, kind: number) => varint(8 * number + kind);
const counted = (number: number, value: number) => [...field(number, VARINT), ...varint(value)];
const message = (number: number, bytes: readonly number[]) => [
  ...field(number, MESSAGE),
  ...varint(bytes.length),
  ...bytes,
];
const four = (value: number) => [value & 255, value >>> 8 & 255, value >>> 16 & 255, value >>> 24];

/** A block of a table: keys and values, one restart, no compression, a checksum. */
function block(entries: readonly (readonly [key: number[], value: number[]])[]): number[] {
  const rows = entries.flatMap(([key, value]) => [
    ...varint(0),
    ...varint(key.length),
    ...varint(value.length),
    ...key,
    ...value,
  ]);
  const content = [...rows, ...four(0), ...four(1)];
  return [...content, 0, ...four(maskedCrc32c([Uint8Array.of(...content, 0)]))];
}

/** What a checkpoint says of itself. */
interface About {
  /** Whether its values are said to have the most significant byte first. */
  readonly bigEndian?: boolean;
}

/** The files of a checkpoint: its index, and its values as parts. Data are repeated until their shape is full. */
export function checkpointParts(tensors: Readonly<Record<string, DrawnTensor>>, { bigEndian = false }: About = {}) {
  const values: Uint8Array<ArrayBuffer>[] = [];
  const entries: (readonly [number[], number[]])[] = [[[], [...counted(1, 1), ...counted(2, Number(bigEndian))]]];
  let offset = 0;
  for (const key of Object.keys(tensors).sort()) {
    const { shape, data } = tensors[key]!;
    const times = shape.reduce((product, size) => product * size, 1) / data.length;
    const own = Array.from({ length: times }, () => bytesOf(data));
    const length = times * data.byteLength;
    values.push(...own);
    entries.push([[...new TextEncoder().encode(key)], [
      ...counted(1, FLOAT),
      ...message(2, shape.flatMap((size) => message(2, counted(1, size)))),
      ...counted(4, offset),
      ...counted(5, length),
      ...field(6, FIXED),
      ...four(maskedCrc32c(own)),
    ]]);
    offset += length;
  }
  const table = block(entries);
  const empty = block([]);
  const handle = (begin: number, bytes: readonly number[]) => [...varint(begin), ...varint(bytes.length - 5)];
  const top = block([[entries.at(-1)![0], handle(0, table)]]);
  const footer = [...handle(table.length, empty), ...handle(table.length + empty.length, top)];
  while (footer.length < 40) footer.push(0);
  footer.push(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
  return { index: Uint8Array.from([...table, ...empty, ...top, ...footer]), values };
}

/** The index of a checkpoint, with its values beside it. */
export function checkpoint(
  tensors: Readonly<Record<string, DrawnTensor>>,
  name: string,
  about: About = {},
): TensorSource {
  const { index, values } = checkpointParts(tensors, about);
  const all = joined(values);
  return {
    ...bytesSource(index, `${name}.index`),
    beside: (other) => Promise.resolve(other === `${name}.data-00000-of-00001` ? bytesSource(all, other) : null),
  };
}
