import assert from "node:assert/strict";
import { cielab, skinTone, typologyAngle } from "../../face/skin_tone.ts";

// sRGB primaries and white in CIELAB (D65), as colour science tables print them.
const KNOWN = [
  [[1, 1, 1], [100, 0, 0]],
  [[0, 0, 0], [0, 0, 0]],
  [[1, 0, 0], [53.24, 80.09, 67.2]],
  [[0, 1, 0], [87.73, -86.18, 83.18]],
  [[0, 0, 1], [32.3, 79.19, -107.86]],
] as const;

Deno.test("cielab gives the tables' values", () => {
  for (const [rgb, lab] of KNOWN) {
    cielab(rgb).forEach((value, i) => assert.ok(Math.abs(value - lab[i]!) < 0.02, `${rgb}: ${value} is not ${lab[i]}`));
  }
});

Deno.test("the typology angle orders skins by lightness, and a few outliers do not move it", () => {
  const flat = (rgb: readonly number[]) => Float32Array.from({ length: 300 }, (_, i) => rgb[i % 3]!);
  const skins = [[0.93, 0.8, 0.72], [0.82, 0.63, 0.52], [0.62, 0.42, 0.32], [0.35, 0.22, 0.17]];
  const angles = skins.map((rgb) => typologyAngle(flat(rgb)));
  assert.deepEqual(angles, angles.toSorted((a, b) => b - a));
  const spotted = flat(skins[1]!);
  spotted.fill(0, 0, 90);
  assert.equal(typologyAngle(spotted), angles[1]);
  assert.deepEqual(angles.map(skinTone), ["very light", "light", "brown", "dark"]);
});

Deno.test("skin tones have Chardon's bounds, and no colour is an error", () => {
  assert.deepEqual([56, 55, 41, 28, 10, -30, -90].map(skinTone), [
    "very light",
    "light",
    "intermediate",
    "tan",
    "brown",
    "dark",
    "dark",
  ]);
  assert.throws(() => typologyAngle(new Float32Array(0)), /no colour/);
});
