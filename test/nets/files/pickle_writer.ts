/** Writes a pickle of NumPy arrays as Python 2 did it (protocol 2), for models that are too large to be committed. */

/** Arrays by name. */
type Arrays = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array | Float64Array | Uint32Array }>
>;

/** NumPy's names of types. */
const TYPES = new Map<unknown, string>([[Float32Array, "f4"], [Float64Array, "f8"], [Uint32Array, "u4"]]);

const encoder = new TextEncoder();

const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const global = (name: string): Uint8Array => encoder.encode(`c${name.replace(/\.(\w+)$/, "\n$1")}\n`);
const code = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const int = (value: number): Uint8Array[] => [code(74), new Uint8Array(Int32Array.of(value).buffer)]; // J
const text = (value: string): Uint8Array[] => [code(85, value.length), encoder.encode(value)]; // U
/** ( … t */
const tuple = (items: readonly (readonly Uint8Array[])[]): Uint8Array[] => [code(40), ...items.flat(), code(116)];

/** The bytes of `pickle.dump(arrays, file, 2)`. */
export function pickledArrays(arrays: Arrays): Uint8Array<ArrayBuffer> {
  const parts = [code(0x80, 2, 125)]; // } empty dictionary
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const none = code(78);
    const type = [
      global("numpy.dtype"),
      ...tuple([text(TYPES.get(data.constructor)!), int(0), int(1)]),
      code(82), // R
      ...tuple([int(3), text("<"), [none], [none], [none], int(-1), int(-1), int(0)]),
      code(98), // b
    ];
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    parts.push(
      ...text(name),
      global("numpy.core.multiarray._reconstruct"),
      ...tuple([[global("numpy.ndarray")], tuple([int(0)]), text("b")]),
      code(82),
      ...tuple([int(1), tuple(shape.map(int)), type, [code(0x89)], [code(84), u32(bytes.length), bytes]]), // False, T
      code(98, 115), // b s
    );
  }
  parts.push(code(46)); // .
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
