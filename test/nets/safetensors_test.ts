import assert from "node:assert/strict";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../nets/safetensors.ts";

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

Deno.test("encodeSafetensors() keeps the data aligned and encodes views of larger buffers", () => {
  const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
  const bytes = encodeSafetensors({ a: { shape: [3], data: Uint8Array.of(1, 2, 3) }, b: { shape: [2], data: view } });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal(length % 8, 0);
  assert.equal(bytes.length, 8 + length + 11);
  assert.deepEqual(new Float32Array(bytes.buffer, 8 + length, 2), Float32Array.of(1, 2));
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
