import assert from "node:assert/strict";
import { extendBeyondChart } from "../../face/extend_charts_cpu.ts";
import { interpolate } from "../../face/interpolate_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { gridHead, waves } from "./head.ts";

const { topology } = gridHead(21);

Deno.test("uvMap gives every texel in the chart its place, and outside it the nearest place inside", () => {
  const size = 96;
  const map = uvMap(topology, size);
  assert.equal(uvMap({ ...topology }, size), map, "kept with the triangles and UVs");
  assert.notEqual(uvMap({ ...topology, triangles: topology.triangles.slice() }, size), map);
  assert.notEqual(uvMap({ ...topology, uvs: topology.uvs.slice() }, size), map);
  const uvz = new Float32Array(3 * topology.vertexCount);
  topology.uvs.forEach((value, k) => uvz[3 * (k >> 1) + (k & 1)] = value * size);
  const places = interpolate(uvz, { topology, map });
  let worst = 0;
  map.inside.forEach((inside, i) => {
    const distance = Math.hypot(places[3 * i]! - (i % size + 0.5), places[3 * i + 1]! - (Math.floor(i / size) + 0.5));
    if (inside === 1) return worst = Math.max(worst, distance);
    // Exhaustive search is the reference for the nearest texel.
    let best = Infinity;
    for (let j = i % 7; j < size * size; j++) {
      if (map.inside[j] === 1) {
        best = Math.min(best, Math.hypot(j % size - i % size, Math.floor(j / size) - Math.floor(i / size)));
      }
    }
    assert.ok(map.inside[map.nearest[i]!] === 1 && distance < best + 0.2);
  });
  assert.ok(worst < 1e-3);
  const mirrored = map.inside.filter((inside, i) => inside !== map.inside[i - i % size + size - 1 - i % size]);
  assert.equal(mirrored.length, 0, "the chart's outline is symmetric");
  assert.deepEqual(extendBeyondChart(extendBeyondChart(waves(size), map), map), extendBeyondChart(waves(size), map));
});
