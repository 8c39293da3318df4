import assert from "node:assert/strict";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../nets/safetensors.ts";
import half from "../golden/half.json" with { type: "json" };

// Made by the reference implementation: test/golden/make_safetensors.py.
const golden = Deno.readFileSync(new URL("../golden/safetensors.safetensors", import.meta.url));

function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
}
const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

Deno.test("decodeSafetensors() reads what the reference implementation wrote", () => {
  assert.deepEqual(decodeSafetensors(golden), {
    weight: { shape: [2, 3], data: Float32Array.of(-0.5, -0.25, 0, 0.25, 0.5, 0.75) },
    index: { shape: [1, 2], data: Int32Array.of(-2147483648, 2147483647) },
    count: { shape: [2], data: Uint32Array.of(0, 4294967295) },
    half: {
      shape: [9],
      data: Float32Array.of(0, -0, 2 ** -24, -1023 * 2 ** -24, 2 ** -14, 1, 65504, Infinity, -Infinity),
    },
    mask: { shape: [3], data: Uint8Array.of(0, 1, 255) },
    scalar: { shape: [], data: Float32Array.of(2.5) },
    empty: { shape: [0, 4], data: new Float32Array() },
    "Grüße/π": { shape: [1], data: Float32Array.of(3.140625) },
  });
  assert.deepEqual(safetensorsMetadata(golden), { "made by": "safetensors" });
});

Deno.test("decodeSafetensors() reads a file at an odd offset of a larger buffer", () => {
  const shifted = new Uint8Array(golden.length + 3);
  shifted.set(golden, 3);
  assert.deepEqual(decodeSafetensors(shifted.subarray(3)), decodeSafetensors(golden));
});

Deno.test("encodeSafetensors() round-trips every type and does not depend on the record's order", () => {
  const tensors = decodeSafetensors(golden);
  const bytes = encodeSafetensors(tensors, { b: "2", a: "1" });
  assert.deepEqual(decodeSafetensors(bytes), tensors);
  assert.deepEqual(safetensorsMetadata(bytes), { a: "1", b: "2" });
  const reversed = Object.fromEntries(Object.entries(tensors).reverse());
  assert.deepEqual(encodeSafetensors(reversed, { a: "1", b: "2" }), bytes);
  assert.deepEqual(decodeSafetensors(encodeSafetensors({})), {});
});

const encodeHalf = (data: Float32Array) => encodeSafetensors({ half: { shape: [data.length], data, half: true } });
const bitsOfHalf = (bytes: Uint8Array, count: number) => new Uint16Array(bytes.slice(bytes.length - 2 * count).buffer);

/** A half by the definition of IEEE 754: a sign, 5 bits of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, bits >> 10 & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

Deno.test("encodeSafetensors() rounds to half precision as NumPy does", () => {
  const data = new Float32Array(Uint32Array.from(half.single).buffer);
  assert.equal(data.length, 150);
  assert.deepEqual([...bitsOfHalf(encodeHalf(data), data.length)], half.half);
});

Deno.test("every half is read exactly and written back with the same bits", () => {
  const every = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
  const entry = { dtype: "F16", shape: [65536], data_offsets: [0, 131072] };
  const { data } = decodeSafetensors(file({ half: entry }, new Uint8Array(every.buffer))).half!;
  assert(data instanceof Float32Array);
  const again = bitsOfHalf(encodeHalf(data), 65536);
  let numbers = 0;
  for (const bits of every) {
    const expected = halfValue(bits);
    assert(Object.is(data[bits], expected), `half ${bits} is ${expected}, read as ${data[bits]}`);
    if (Number.isNaN(expected)) assert(Number.isNaN(halfValue(again[bits]!)), `NaN ${bits} became ${again[bits]}`);
    else assert.equal(again[bits], bits), numbers++;
  }
  assert.equal(numbers, 63490);
});

Deno.test("encodeSafetensors() refuses in half precision what does not fit, and names the tensor", () => {
  assert.throws(
    () => encodeSafetensors({ weight: { shape: [2], data: Float32Array.of(1, -65520), half: true } }),
    { name: "RangeError", message: /"weight" in half precision: value 1 is -65520, the largest half is 65504/ },
  );
  assert.throws(
    () => encodeSafetensors({ index: { shape: [1], data: Int32Array.of(1), half: true } }),
    { name: "TypeError", message: /"index" in half precision: its data are Int32Array/ },
  );
});

Deno.test("encodeSafetensors() keeps the data aligned and encodes views of larger buffers", () => {
  const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
  const bytes = encodeSafetensors({
    a: { shape: [3], data: Uint8Array.of(1, 2, 3) },
    b: { shape: [2], data: view },
    c: { shape: [1], data: Float32Array.of(-2), half: true },
  });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal(length % 8, 0);
  assert.equal(bytes.length, 8 + length + 13);
  assert.deepEqual(new Float32Array(bytes.buffer, 8 + length, 2), Float32Array.of(1, 2));
  assert.deepEqual(new Uint16Array(bytes.buffer, 16 + length, 1), Uint16Array.of(0xc000));
});

Deno.test("encodeSafetensors() refuses a shape that does not fit, and the reserved name", () => {
  assert.throws(() => encodeSafetensors({ a: { shape: [2], data: new Float32Array(3) } }), /"a": shape \[2\] holds 2/);
  assert.throws(() => encodeSafetensors({ a: { shape: [-1, -3], data: new Float32Array(3) } }), TypeError);
  assert.throws(() => encodeSafetensors({ __metadata__: { shape: [0], data: new Float32Array() } }), /reserved/);
});

Deno.test("decodeSafetensors() refuses every truncation of a file", () => {
  for (let length = 0; length < golden.length; length++) {
    assert.throws(() => decodeSafetensors(golden.subarray(0, length)), SyntaxError, `${length} bytes`);
  }
});

const bad: [why: string, bytes: Uint8Array, message: RegExp][] = [
  ["trailing bytes", file({ a: entry(0, 4) }, 5), /cover 4 bytes, the file holds 5/],
  ["a hole", file({ a: entry(0, 4), b: entry(8, 12) }, 12), /"b" begins at 8, the data before it ends at 4/],
  ["an overlap", file({ a: entry(0, 8), b: entry(4, 12) }, 12), /"b" begins at 4, the data before it ends at 8/],
  ["offsets that do not fit the shape", file({ a: entry(0, 8, [3]) }, 8), /needs 12 bytes, its data_offsets span 8/],
  ["offsets backwards", file({ a: entry(4, 0, [1]) }, 4), /needs 4 bytes/],
  ["a negative size", file({ a: entry(0, 4, [-1]) }, 4), /has shape \[-1\]/],
  ["a fractional size", file({ a: entry(0, 4, [0.5, 2]) }, 4), /has shape/],
  ["a product beyond integers", file({ a: entry(0, 4, [2 ** 52, 2 ** 52]) }, 4), /has shape/],
  ["an unknown type", file({ a: { ...entry(0, 4), dtype: "BF16" } }, 4), /type "BF16"; this reader knows F32/],
  ["half precision of a wrong length", file({ a: { ...entry(0, 8), dtype: "F16" } }, 8), /"a" needs 4 bytes.* span 8/],
  ["an odd number of bytes for halves", file({ a: { ...entry(0, 3, [1]), dtype: "F16" } }, 3), /"a" needs 2 bytes/],
  ["a type in small letters", file({ a: { ...entry(0, 2, [1]), dtype: "f16" } }, 2), /type "f16"; this reader knows/],
  ["an inherited type name", file({ a: { ...entry(0, 4), dtype: "toString" } }, 4), /type "toString"/],
  ["no offsets", file({ a: { dtype: "F32", shape: [] } }, 4), /data_offsets undefined/],
  ["metadata that are not strings", file({ __metadata__: { a: 1 } }), /not a map of strings/],
  ["a header that is not JSON", file("{]"), /not JSON/],
  ["a header with leading space", file(" {}"), /does not start/],
  ["an array as header", file("[]"), /does not start/],
  ["a huge header length", new Uint8Array(16).fill(0xff), /over the limit/],
];
for (const [why, bytes, message] of bad) {
  Deno.test(`decodeSafetensors() refuses ${why}`, () => {
    assert.throws(() => decodeSafetensors(bytes), { message });
  });
}
