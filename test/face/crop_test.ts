import assert from "node:assert/strict";
import {
  cropInPhotograph,
  decaCrop,
  FaceCropError,
  outlineCrop,
  photographInCrop,
  shownInCrop,
  toCrop,
  toPhotograph,
} from "../../face/crop.ts";

const photograph = { width: 640, height: 480 };
const box = { left: 101.5, top: 52.25, width: 180, height: 225 };

/**
 * DECA's recipe step by step, in its own coordinates (pixel centres at whole numbers); scale and shift from three
 * points.
 */
function decaTransform({ left, top, width, height }: typeof box) {
  const [right, bottom] = [left + width, top + height];
  const old = (right - left + bottom - top) / 2;
  const centre = [right - (right - left) / 2, bottom - (bottom - top) / 2 + old * 0.12] as const;
  const size = Math.trunc(old * 1.25);
  const [x0, y0] = [centre[0] - size / 2, centre[1] - size / 2];
  const scale = 223 / (centre[0] + size / 2 - x0);
  return { scale, x: -x0 * scale, y: -y0 * scale };
}

Deno.test("decaCrop is DECA's crop", () => {
  const crop = decaCrop(box, { photograph });
  const deca = decaTransform(box);
  for (const [x, y] of [[0, 0], [200, 150], [639, 479], [-30, 700]] as const) {
    const ours = toCrop(crop, { x: x + 0.5, y: y + 0.5 });
    assert(Math.abs(ours.x - 0.5 - (deca.scale * x + deca.x)) < 1e-9);
    assert(Math.abs(ours.y - 0.5 - (deca.scale * y + deca.y)) < 1e-9);
  }
  assert.equal(crop.size, 224);
  assert.deepEqual(crop.photograph, photograph);
});

Deno.test("toPhotograph is the way back, and the rectangles are those of the two corners", () => {
  const crop = decaCrop(box, { photograph, size: 96, margin: 1.6 });
  const there = toCrop(crop, { x: 12.25, y: 400 });
  const back = toPhotograph(crop, there);
  assert(Math.abs(back.x - 12.25) < 1e-9 && Math.abs(back.y - 400) < 1e-9);
  const shown = cropInPhotograph(crop);
  const end = toCrop(crop, { x: shown.left + shown.width, y: shown.top + shown.height });
  assert(Math.abs(end.x - 96) < 1e-9 && Math.abs(end.y - 96) < 1e-9);
  const whole = photographInCrop(crop);
  const start = toPhotograph(crop, { x: whole.left, y: whole.top });
  const far = toPhotograph(crop, { x: whole.left + whole.width, y: whole.top + whole.height });
  assert(Math.abs(start.x) + Math.abs(start.y) < 1e-9);
  assert(Math.abs(far.x - 640) + Math.abs(far.y - 480) < 1e-9);
});

Deno.test("decaCrop moves and grows with the box", () => {
  const one = decaCrop(box, { photograph });
  const moved = decaCrop({ ...box, left: box.left + 7, top: box.top - 3 }, { photograph });
  assert.equal(moved.scale, one.scale);
  assert(Math.abs(moved.x - (one.x - 7 * one.scale)) < 1e-9 && Math.abs(moved.y - (one.y + 3 * one.scale)) < 1e-9);
});

Deno.test("decaCrop refuses an empty box", () => {
  for (const size of [{ width: 0 }, { height: -4 }, { width: NaN }, { width: 0.3, height: 0.3 }]) {
    assert.throws(() => decaCrop({ ...box, ...size }, { photograph }), FaceCropError);
  }
});

Deno.test("a crop around a mesh has all of it inside, with as much room on both sides", () => {
  for (const outline of [box, { left: -40, top: 300, width: 260, height: 90 }]) {
    const crop = outlineCrop(outline, { photograph, size: 224 });
    const start = toCrop(crop, { x: outline.left, y: outline.top });
    const end = toCrop(crop, { x: outline.left + outline.width, y: outline.top + outline.height });
    // DECA takes the whole numbers of a box for centres of pixels, so that all is half a photograph's pixel off.
    assert(Math.abs(start.x - (224 - end.x)) < 1.01 * crop.scale);
    assert(Math.abs(start.y - (224 - end.y)) < 1.01 * crop.scale);
    const least = Math.min(start.x, start.y);
    assert(least > 18 && least < 23, `a tenth of the crop beside the longer side: ${least}`);
  }
  for (const empty of [{ ...box, width: 0, height: 0 }, { ...box, width: NaN }]) {
    assert.throws(() => outlineCrop(empty, { photograph }), FaceCropError);
  }
});

Deno.test("what a crop shows ends at its own border and at the photograph's", () => {
  const ends = (crop: Parameters<typeof shownInCrop>[0]) => {
    const { left, top, width, height } = shownInCrop(crop);
    return [left, top, left + width, top + height];
  };
  const inside = decaCrop(box, { photograph });
  assert.deepEqual(ends(inside), [0, 0, 224, 224]);
  const corner = decaCrop({ ...box, left: -60, top: -80 }, { photograph });
  const whole = photographInCrop(corner);
  assert.deepEqual(ends(corner), [whole.left, whole.top, 224, 224]);
  const beyond = shownInCrop(decaCrop({ ...box, left: 2000 }, { photograph }));
  assert.equal(beyond.width, 0, "nothing of the photograph");
});
