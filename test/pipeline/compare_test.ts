import assert from "node:assert/strict";
import sharp from "sharp";
import { defineStage, type Determinism, reproduce, sourceFolder, verify } from "../../pipeline/mod.ts";
import { compareFiles } from "../../pipeline/compare.ts";
import { openLab } from "./lab.ts";

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("JSON is compared by number, and the rest must agree", async () => {
  const near = { atol: 0, rtol: 0.01 };
  const compare = (before: unknown, after: unknown, path = "a.json") =>
    compareFiles(path, { before: bytesOf(before), after: bytesOf(after) }, near);
  assert.equal(await compare({ x: [100, 0] }, { x: [100.9, 0] }), null);
  assert.equal(await compare([0], [-0]), null);
  assert.equal(await compare({ x: [100, 0] }, { x: [101.1, 0] }), "value 0: 100 became 101.1");
  assert.equal(await compare([0], [1e-30]), "value 0: 0 became 1e-30");
  assert.equal(await compare({ x: 1 }, { y: 1 }), "the structure differs");
  assert.match(await compare(1, 1.001, "a.txt") ?? "", /only JSON, PNG and safetensors are compared by number/);
});

/** A safetensors file of the given tensors. */
function tensors(parts: Readonly<Record<string, Float32Array | Float16Array | Int32Array>>): Uint8Array {
  let end = 0;
  const header = bytesOf(Object.fromEntries(
    Object.entries(parts).map(([name, values]) => {
      const dtype = values instanceof Float16Array ? "F16" : values instanceof Float32Array ? "F32" : "I32";
      return [name, { dtype, shape: [values.length], data_offsets: [end, end += values.byteLength] }];
    }),
  ));
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { buffer, byteLength } of Object.values(parts)) {
    bytes.set(new Uint8Array(buffer), at);
    at += byteLength;
  }
  return bytes;
}

Deno.test("safetensors are compared by number, in full and in half precision; other numbers by bytes", async () => {
  const near = { atol: 0, rtol: 0.01 };
  const compare = (before: Uint8Array, after: Uint8Array) => compareFiles("w.safetensors", { before, after }, near);
  const full = (...values: number[]) => tensors({ w: new Float32Array(values) });
  assert.equal(await compare(full(1, NaN), full(1.001, NaN)), null);
  assert.equal(await compare(full(1, 2), full(1, NaN)), "value 1: 2 became NaN");
  assert.match(await compare(full(1, 2), full(1.2, 2)) ?? "", /value 0: 1 became 1\.2/);
  // the half floats end where no float of 32 bits may begin
  const mixed = (half: number[], whole: number[]) => tensors({ h: new Float16Array(half), w: new Float32Array(whole) });
  assert.equal(await compare(mixed([1, 2, 4], [100]), mixed([1.001, 2, 4], [100.9])), null);
  assert.equal(await compare(mixed([1, 2, 4], [100]), mixed([1, 2, 4.125], [100])), "value 2: 4 became 4.125");
  assert.equal(await compare(mixed([1, 2, 4], [100]), mixed([1, 2, 4], [102])), "value 3: 100 became 102");
  assert.equal(await compare(mixed([1, 2], [1]), full(1, 2, 1)), "the structure differs");
  const whole = (...values: number[]) => tensors({ i: new Int32Array(values) });
  assert.match(await compare(whole(1000), whole(1001)) ?? "", /^byte \d+ of \d+ differs \(only/);
});

interface Picture {
  readonly width?: number;
  readonly channels?: 3 | 4;
  readonly depth?: 8 | 16;
  readonly level?: number;
}

/** A grey picture, four pixels high; `level` is the green of pixel (2, 1). */
async function png({ width = 4, channels = 3, depth = 8, level = 100 }: Picture = {}): Promise<Uint8Array> {
  const scale = depth === 16 ? 257 : 1;
  const levels = new (depth === 16 ? Uint16Array : Uint8Array)(width * 4 * channels).fill(100 * scale);
  levels[(width + 2) * channels + 1] = level * scale;
  const picture = sharp(levels, { raw: { width, height: 4, channels } });
  return await (depth === 16 ? picture.toColourspace("rgb16") : picture).png().toBuffer();
}

Deno.test("pictures are compared by level under a tolerance; another size or depth differs", async () => {
  const near = { atol: 2 / 255, rtol: 0 };
  const compare = async (before: Picture, after: Picture, determinism: Determinism = near) =>
    await compareFiles("a.png", { before: await png(before), after: await png(after) }, determinism);
  assert.equal(await compare({}, { level: 101 }), null);
  assert.equal(await compare({}, { level: 102 }), null);
  assert.equal(await compare({}, { level: 98 }), null);
  assert.equal(await compare({}, { level: 103 }), "pixel (2, 1), channel 1: 100 became 103");
  assert.equal(await compare({}, { level: 103 }, { atol: 0, rtol: 0.03 }), null);
  assert.match(await compare({}, { level: 101 }, "bitwise") ?? "", /byte/);
  assert.equal(
    await compare({}, { width: 5 }),
    "4 × 4 pixels, 3 channels of 8 bits became 5 × 4 pixels, 3 channels of 8 bits",
  );
  assert.match(await compare({}, { channels: 4 }) ?? "", /became 4 × 4 pixels, 4 channels of 8 bits$/);
  assert.match(await compare({}, { depth: 16 }) ?? "", /became 4 × 4 pixels, 3 channels of 16 bits$/);
  assert.equal(await compare({ depth: 16 }, { depth: 16, level: 102 }), null);
  assert.match(await compare({ depth: 16 }, { depth: 16, level: 103 }) ?? "", /25700 became 26471$/);
  const pair = { before: await png(), after: (await png()).subarray(0, 40) };
  assert.match(await compareFiles("a.png", pair, near) ?? "", /bytes became 40 \(only/);
});

Deno.test("a pixel spoilt by one level is within a tolerance, by nine not; a bitwise stage allows none", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a" });
  let level = 100;
  const define = (name: string, determinism: Determinism) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: { texts: "folder" },
      output: "pictures",
      determinism,
      run: async ({ out }) => out.write("a.png", await png({ level })),
    });
  const texts = sourceFolder(lab.source);
  const target = {
    near: define("near", { atol: 2 / 255, rtol: 0 })({ texts }),
    bits: define("bits", "bitwise")({ texts }),
  };
  await reproduce(target, lab.options());
  const rerun = async (now: number) => {
    level = now;
    const rows = await verify(target, lab.options());
    return Object.fromEntries(rows.map(({ label, verdict, differences }) => [label, [verdict, ...differences]]));
  };
  assert.deepEqual(await rerun(100), { near: ["same"], bits: ["same"] });
  const one = await rerun(101);
  assert.deepEqual(one.near, ["within tolerance", "a.png: within tolerance"]);
  assert.equal(one.bits?.[0], "differs");
  const nine = await rerun(109);
  assert.deepEqual(nine.near, ["differs", "a.png: pixel (2, 1), channel 1: 100 became 109"]);
  assert.equal(nine.bits?.[0], "differs");
});
