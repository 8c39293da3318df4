/**
 * Writes the smallest ONNX file: y = x + x over `size` floats. Protobuf wire format by hand, so that the tests need no
 * file.
 */

function varint(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...varint(value >>> 7)];
}
const field = (
  id: number,
  bytes: readonly number[],
): number[] => [...varint(id << 3 | 2), ...varint(bytes.length), ...bytes];
const int = (id: number, value: number): number[] => [...varint(id << 3), ...varint(value)];
const text = (id: number, value: string): number[] => field(id, [...new TextEncoder().encode(value)]);

/** The bytes of an ONNX model with one Add node, input "x" and output "y" of dims [1, size]. */
export function doublingModel(size: number): Uint8Array<ArrayBuffer> {
  const shape = field(2, [...field(1, int(1, 1)), ...field(1, int(1, size))]);
  const value = (name: string) => [...text(1, name), ...field(2, field(1, [...int(1, 1), ...shape]))];
  const node = [...text(1, "x"), ...text(1, "x"), ...text(2, "y"), ...text(4, "Add")];
  const graph = [...field(1, node), ...text(2, "doubling"), ...field(11, value("x")), ...field(12, value("y"))];
  return new Uint8Array([...int(1, 8), ...field(7, graph), ...field(8, int(2, 13))]);
}
