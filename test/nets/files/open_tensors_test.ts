import assert from "node:assert/strict";
import { openTensors } from "../../../nets/files/open_tensors.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { readMember, zipMembers } from "../../../nets/files/zip.ts";
import { checkpoint } from "./checkpoint_writer.ts";
import { contentsOf, GOLDEN, golden } from "./golden.ts";
import { npzParts } from "./npy_writer.ts";
import { bytesOf, joined } from "./parts.ts";
import { zipParts } from "./zip_writer.ts";

for (const [name, expected] of Object.entries(GOLDEN)) {
  Deno.test(`openTensors() reads ${name} as its own library wrote it`, async () => {
    const contents = await contentsOf(await openTensors(golden(name)));
    assert.deepEqual(Object.keys(contents).sort(), Object.keys(expected).sort());
    for (const [key, told] of Object.entries(expected)) assert.deepEqual(contents[key], told, key);
  });
}

Deno.test("an array of an npz is held once: its values are the bytes that were read", async () => {
  const data = Float64Array.from({ length: 1000 }, (_, i) => i);
  const whole = joined(npzParts({ a: { shape: [10, 100], data: [bytesOf(data)] } }));
  const buffers: ArrayBuffer[] = [];
  const source = {
    name: "a.npz",
    size: whole.length,
    read(begin: number, end: number) {
      const bytes = whole.slice(begin, end);
      buffers.push(bytes.buffer);
      return Promise.resolve(bytes);
    },
  };
  const values = await (await openTensors(source)).read("a");
  assert.deepEqual(values, data);
  assert.ok(buffers.includes(values.buffer));
});

/** Values of so many bytes, each the other way around. */
function swapped(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes, (_, i) => bytes[i - i % size + size - 1 - i % size]!);
}

Deno.test("openTensors() reads a PyTorch archive of a big-endian machine", async () => {
  const source = golden("torch_zip.pth");
  // bytes of a value of each storage, in the order of test/golden/torch_files.py
  const sizes = [4, 4, 2, 2, 8, 8, 4, 1, 1, 4, 4, 8];
  const files: Record<string, Uint8Array[]> = { "torch_zip/byteorder": [new TextEncoder().encode("big")] };
  for (const [name, member] of await zipMembers(source)) {
    const bytes = await readMember(source, { member });
    const storage = /data\/(\d+)$/.exec(name)?.[1];
    files[name] = [storage === undefined ? bytes : swapped(bytes, sizes[Number(storage)]!)];
  }
  const file = await openTensors(bytesSource(joined(zipParts(files)), "big.pth"));
  assert.deepEqual(await contentsOf(file), await contentsOf(await openTensors(source)));
  assert.equal(file.tensors.get("E_flame.row")!.bigEndian, true);
});

Deno.test("openTensors() reads a TensorFlow checkpoint of a big-endian machine", async () => {
  const data = Float32Array.of(1, -2.5, 3e-4);
  const big = new Float32Array(swapped(new Uint8Array(data.buffer), 4).buffer);
  const file = await openTensors(checkpoint({ a: { shape: [3], data: big } }, "big", { bigEndian: true }));
  assert.deepEqual(await file.read("a"), data);
});
