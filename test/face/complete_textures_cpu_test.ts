import assert from "node:assert/strict";
import { completeTexture } from "../../face/complete_textures_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { gridHead, maxDifference } from "./head.ts";

const { topology } = gridHead(15);
const size = 96;
const { inside } = uvMap(topology, size);

/** A texture that is its own mirror image. */
function symmetricTexture(): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, k) => {
    const texel = Math.floor(k / 3);
    const [x, y] = [Math.abs(texel % size + 0.5 - size / 2), Math.floor(texel / size)];
    return 0.5 + 0.2 * Math.sin(x / 3 + k % 3) + 0.15 * Math.cos(y / 4);
  });
}

/** Seen up to a column a little right of the middle. */
const seenLeft = Float32Array.from(inside, (value, i) => i % size < 0.62 * size ? value : 0);

Deno.test("a symmetric texture of which half is hidden comes back", () => {
  const texture = symmetricTexture();
  const seen = texture.map((value, k) => value * seenLeft[Math.floor(k / 3)]!);
  const full = completeTexture(seen, seenLeft, { topology });
  let worst = 0;
  inside.forEach((value, i) => {
    const x = i % size;
    // A texel whose mirror image was seen too: everything but the chart's faded outline.
    if (value === 0 || x < 14 || x > size - 15 || i < 14 * size || i > (size - 14) * size) return;
    for (let c = 3 * i; c < 3 * i + 3; c++) worst = Math.max(worst, Math.abs(full[c]! - texture[c]!));
  });
  assert.ok(worst < 0.02, String(worst));
  assert.ok(full.every((value) => value >= 0 && value <= 1));
});

Deno.test("light that falls on one side leaves no seam and what was well seen stays as it is", () => {
  const texture = symmetricTexture().map((value, k) => value * (0.7 + 0.3 * (Math.floor(k / 3) % size) / size));
  const seen = texture.map((value, k) => value * seenLeft[Math.floor(k / 3)]!);
  const full = completeTexture(seen, seenLeft, { topology });
  const row = size / 2;
  const jumps = (values: Float32Array) =>
    Array.from(
      { length: size - 30 },
      (_, k) => values[3 * (row * size + k + 15)]! - values[3 * (row * size + k + 14)]!,
    );
  assert.ok(maxDifference(jumps(full), jumps(texture)) < 0.03);
  for (let x = 20; x < 50; x++) {
    assert.ok(Math.abs(full[3 * (row * size + x)]! - texture[3 * (row * size + x)]!) < 1e-6);
  }
  let error = 0;
  for (let x = 60; x < 80; x++) error += Math.abs(full[3 * (row * size + x)]! - texture[3 * (row * size + x)]!) / 20;
  assert.ok(error < 0.1, `mean error on the hidden side ${error}`);
});

Deno.test("completeTexture refuses a texture of which nothing was seen", () => {
  assert.throws(
    () => completeTexture(new Float32Array(3 * size * size), new Float32Array(size * size), { topology }),
    RangeError,
  );
});

Deno.test("completeTexture() of a face cut at its midline gives the other half the same colour", () => {
  const { topology } = gridHead();
  const size = 64;
  const texture = new Float32Array(3 * size * size).fill(0.6);
  const visibility = Float32Array.from({ length: size * size }, (_, i) => i % size < size / 2 ? 1 : 0);
  const complete = completeTexture(texture, visibility, { topology });
  assert.ok(complete.every((value) => Math.abs(value - 0.6) < 0.01), `least ${Math.min(...complete)}`);
});

Deno.test("a hidden patch takes on the colours around it with a seam, and stays its mirror image in the middle", () => {
  // The right half has a darker patch around a hole, smaller than the coarse gains can follow.
  const at = (i: number) => Math.max(Math.abs(i % size - 66), Math.abs(Math.floor(i / size) - 48));
  const texture = Float32Array.from(
    { length: 3 * size * size },
    (_, k) => (0.5 + 0.1 * Number(Math.floor(k / 3 / size) === 48)) * (at(Math.floor(k / 3)) < 14 ? 0.7 : 1),
  );
  const visibility = Float32Array.from(inside, (value, i) => at(i) < 7 ? 0 : value);
  const step = (seam: number) => {
    const full = completeTexture(texture, visibility, { topology, feather: 0, cells: 4, seam });
    const row = (x: number) => full[3 * (44 * size + x)]!;
    let worst = 0;
    for (let x = 54; x < 66; x++) worst = Math.max(worst, Math.abs(row(x + 1) - row(x)));
    return { worst, line: full[3 * (48 * size + 66)]! - full[3 * (46 * size + 66)]! };
  };
  assert.ok(step(0).worst > 0.05, `without a seam the step is ${step(0).worst}`);
  assert.ok(step(8).worst < 0.02, `with one it is ${step(8).worst}`);
  assert.ok(Math.abs(step(8).line - step(0).line) < 0.02, "the mirror image's own detail is kept");
});

Deno.test("what the mirrored half adds beside what was seen stays within a bound of its colours", () => {
  // A dark patch left, the mirror image of which was not seen.
  const texture = Float32Array.from(
    { length: 3 * size * size },
    (_, k) => Math.floor(k / 3) % size < 0.36 * size ? 0.1 : 0.6,
  );
  const [row, beside] = [size / 2, Math.ceil(0.66 * size)];
  const complete = (bound?: number) =>
    completeTexture(texture, seenLeft, { topology, feather: 0, ...(bound === undefined ? {} : { bound }) });
  const at = (full: Float32Array, x: number) => full[3 * (row * size + x)]!;
  assert.ok(at(complete(), beside) < 0.2, `without a bound the patch is there: ${at(complete(), beside)}`);
  assert.ok(at(complete(0.15), beside) > 0.34, `with one it is ${at(complete(0.15), beside)}`);
  for (let x = 20; x < 0.6 * size; x++) assert.equal(at(complete(0.15), x), texture[3 * (row * size + x)]);
});
