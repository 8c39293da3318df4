import assert from "node:assert/strict";
import { chartShift, movedChart, movedMaps } from "../../face/centre_chart.ts";
import { cutFace } from "./cut_head.ts";
import { maxDifference, waves } from "./head.ts";

Deno.test("chartShift() finds how far the mirror axis of a chart lies from the middle", () => {
  const { topology: { uvs }, model } = cutFace();
  const size = 64;
  assert.equal(chartShift(model, { uvs, size }), 0);
  for (const shift of [-3, 1, 4]) {
    const moved = movedChart(uvs, { shift, size });
    assert.equal(chartShift(model, { uvs: moved, size }), -shift);
    assert.ok(maxDifference(movedChart(moved, { shift: -shift, size }), uvs) < 1e-6);
  }
  const lopsided = model.map((value, i) => i % 3 === 0 ? value + 1 : value);
  assert.equal(
    chartShift(lopsided, { uvs: movedChart(uvs, { shift: 3, size }), size }),
    0,
    "no vertex has a reflection",
  );
});

Deno.test("movedMaps() moves every row of every map and repeats the edge", () => {
  const size = 8;
  const maps = Float32Array.from([...waves(size), ...waves(size).map((value) => 1 - value)]);
  const moved = movedMaps(maps, { shift: 2, size });
  const texel = (
    values: Float32Array,
    { map, x, y }: { map: number; x: number; y: number },
  ) => [...values.subarray(3 * ((map * size + y) * size + x), 3 * ((map * size + y) * size + x) + 3)];
  for (const map of [0, 1]) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        assert.deepEqual(texel(moved, { map, x, y }), texel(maps, { map, x: Math.max(0, x - 2), y }));
      }
    }
  }
  assert.deepEqual(movedMaps(maps, { shift: 0, size }), maps);
});
