import assert from "node:assert/strict";
import { createImage, type RgbImage } from "../../face/image.ts";
import { applyOperatorCpu, renderOperator } from "../../face/render_cpu.ts";
import { normalMap } from "../../face/normal_maps_cpu.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import type { UnwrapOptions } from "../../face/unwrap_options.ts";
import { interpolate } from "../../face/interpolate_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { gridHead, posedHead, waves } from "./head.ts";

const { topology, model } = gridHead(21);
const posed = (yaw: number) => posedHead(yaw, model);

function unwrap(image: RgbImage, vertices: Float32Array, options: UnwrapOptions) {
  return unwrapCpu([{ image, vertices }], options)[0]!;
}

function render(vertices: Float32Array, texture: Float32Array, size = 256): RgbImage {
  return createImage(
    { width: 224, height: 224 },
    applyOperatorCpu(renderOperator(vertices, { topology, size }), texture),
  );
}

Deno.test("rendering and unwrapping again gives the texture back where it was seen", () => {
  const texture = waves(256);
  for (const yaw of [0, 35, -70]) {
    const { texture: found, visibility } = unwrap(render(posed(yaw), texture), posed(yaw), { topology });
    let error = 0;
    let weight = 0;
    for (let i = 0; i < visibility.length; i++) {
      for (let c = 3 * i; c < 3 * i + 3; c++) error += visibility[i]! * (found[c]! - texture[c]!) ** 2;
      weight += 3 * visibility[i]!;
    }
    const psnr = -10 * Math.log10(error / weight);
    assert.ok(weight > 3 * 5000, `yaw ${yaw}: ${weight / 3} texels seen`);
    assert.ok(psnr > 34, `yaw ${yaw}: ${psnr.toFixed(1)} dB`);
  }
});

Deno.test("visibility: the far side, what the nose hides, and what lies outside the image are not seen", () => {
  const size = 128;
  const image = createImage({ width: 224, height: 224 });
  const seen = (yaw: number) => unwrap(image, posed(yaw), { topology, size }).visibility;
  const share = (visibility: Float32Array, half: "left" | "right") =>
    visibility.reduce((sum, value, i) => sum + ((i % size < size / 2) === (half === "left") ? value : 0), 0);
  const frontal = seen(0);
  assert.ok(Math.abs(share(frontal, "left") / share(frontal, "right") - 1) < 0.02);
  // The nose points to image right: the image-left cheek is toward the camera.
  const turned = seen(60);
  assert.ok(share(turned, "left") > 4 * share(turned, "right"));

  const long = gridHead(21, { nose: 1.5 });
  const vertices = posedHead(25, long.model);
  const map = uvMap(long.topology, size);
  const normals = normalMap(vertices, long.topology, { size });
  const { visibility } = unwrap(image, vertices, { topology: long.topology, size });
  const places = interpolate(vertices, { topology: long.topology, map });
  const raster = rasteriseCpu({ vertices, triangles: topology.triangles }, { width: 224, height: 224 });
  let hidden = 0;
  let leaked = 0;
  map.inside.forEach((inside, i) => {
    if (inside === 0 || normals[3 * i + 2]! < 0.25) return;
    const at = Math.floor(places[3 * i + 1]!) * 224 + Math.floor(places[3 * i]!);
    if (places[3 * i + 2]! < raster.depth[at]! + 10) return;
    hidden++;
    if (visibility[i]! > 0) leaked++;
  });
  assert.ok(hidden > 200 && leaked <= 0.02 * hidden, `${leaked} of ${hidden} texels behind the nose leak`);

  const shifted = posed(0).map((value, k) => k % 3 === 0 ? value - 112 : value);
  const half = unwrap(image, shifted, { topology, size }).visibility;
  assert.ok(share(half, "left") < 0.02 * share(half, "right"));
});

Deno.test("unwrap prefilters: a fine checkerboard in a large photo unwraps to grey", () => {
  const size = 64;
  const side = 1024;
  const image = createImage({ width: side, height: side });
  for (let i = 0; i < side * side; i++) image.data.fill((i % side + Math.floor(i / side)) % 2, 3 * i, 3 * i + 3);
  const vertices = posed(0).map((value) => value * side / 224);
  const { texture, visibility } = unwrap(image, vertices, { topology, size });
  let spread = 0;
  let count = 0;
  visibility.forEach((value, i) => {
    if (value < 1) return;
    spread += (texture[3 * i]! - 0.5) ** 2;
    count++;
  });
  assert.ok(Math.sqrt(spread / count) < 0.12, `standard deviation ${Math.sqrt(spread / count)}`);
});

Deno.test("erosion by two texels gives each texel the least of the 25 around it", () => {
  const image = createImage({ width: 224, height: 224 });
  const size = 128;
  const plain = unwrap(image, posed(30), { topology, size, erode: 0 }).visibility;
  const eroded = unwrap(image, posed(30), { topology, size, erode: 2 }).visibility;
  const expected = plain.map((_, i) => {
    let least = Infinity;
    for (let y = Math.max(0, Math.floor(i / size) - 2); y <= Math.min(size - 1, Math.floor(i / size) + 2); y++) {
      for (let x = Math.max(0, i % size - 2); x <= Math.min(size - 1, i % size + 2); x++) {
        least = Math.min(least, plain[y * size + x]!);
      }
    }
    return least;
  });
  assert.deepEqual(eroded, expected);
  assert.notDeepEqual(eroded, plain);
});
