import assert from "node:assert/strict";
import { isColourless } from "../../../../stages/methods/parts/colourless.ts";

/** A ramp of all brightnesses, 40 texels each, with what a JPEG adds, in colours that are made of them. */
function ramp(colour: (grey: number, place: number) => readonly number[]): Uint8Array {
  const pixels = Array.from({ length: 40 * 256 }, (_, i) => {
    const noise = (i * 7919 % 7) - 3;
    return colour(i % 256, Math.floor(i / 256)).map((value) => Math.max(0, Math.min(255, Math.round(value + noise))));
  });
  return Uint8Array.from(pixels.flat());
}
const visibility = new Uint8Array(40 * 256).fill(255);
const grey = (value: number) => [value, value, value];
const sepia = (value: number) => [value + 25 * (1 - value / 255), value, value - 30 * (1 - value / 255)];
/** One tone of skin from shadow to light, and lips on a tenth of it. */
const skin = (value: number, place: number) =>
  place < 4 ? [value, 0.6 * value, 0.65 * value] : [value, 0.75 * value, 0.65 * value];

Deno.test("greys and toned greys are without colour; a face of one skin tone with lips is not", () => {
  assert.equal(isColourless(ramp(grey), { visibility }), true);
  assert.equal(isColourless(ramp(sepia), { visibility }), true);
  assert.equal(isColourless(ramp(skin), { visibility }), false);
});

Deno.test("what is not seen does not count; of nothing nothing is said", () => {
  const lips = visibility.map((_, i) => i < 4 * 256 ? 0 : 255);
  const toned = ramp((value, place) => place < 4 ? [255, 0, 0] : sepia(value));
  assert.equal(isColourless(toned, { visibility: lips }), true);
  assert.equal(isColourless(toned, { visibility }), false);
  assert.equal(isColourless(ramp(grey), { visibility: new Uint8Array(40 * 256) }), false);
});
