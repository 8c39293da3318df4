import assert from "node:assert/strict";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { transposeSparse } from "@ftim/gpu/sparse-cpu";
import { createImage, type RgbImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { applyOperatorCpu, pictureOperator, type RenderOperator, renderOperator } from "../../face/render.ts";
import { normalMap, shadingMap } from "../../face/shading.ts";
import { ambientLight } from "./ambient_light.ts";
import { unwrap } from "../../face/unwrap.ts";
import { extendBeyondChart, interpolate, uvMap } from "../../face/uv_map.ts";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const { topology, model } = gridHead(21);

function posed(yaw: number, scale = 80, shape = model): Float32Array {
  return poseToCrop({
    scale,
    rotation: rotationFromAngles({ yaw, pitch: 0, roll: 0 }),
    translation: Float64Array.of(112, -112, 0),
  }, shape);
}

/** A smooth texture, different everywhere. */
function waves(size: number): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, k) => {
    const [u, v] = [Math.floor(k / 3) % size / size, Math.floor(k / 3 / size) / size];
    return 0.5 + 0.25 * Math.sin(20 * u + (k % 3)) + 0.2 * Math.cos(17 * v * (1 + k % 3 / 4));
  });
}

function render(vertices: Float32Array, texture: Float32Array, size = 256): RgbImage {
  return createImage(
    { width: 224, height: 224 },
    applyOperatorCpu(renderOperator(vertices, { topology, size }), texture),
  );
}

Deno.test("uvMap gives every texel in the chart its place, and outside it the nearest place inside", () => {
  const size = 96;
  const map = uvMap(topology, size);
  assert.equal(uvMap(topology, size), map, "kept with the topology");
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
  const vertices = posed(25, 80, long.model);
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

Deno.test("erosion takes away and adds nothing", () => {
  const image = createImage({ width: 224, height: 224 });
  const plain = unwrap(image, posed(30), { topology, size: 128, erode: 0 });
  const eroded = unwrap(image, posed(30), { topology, size: 128, erode: 2 });
  const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
  assert.ok(eroded.visibility.every((value, i) => value <= plain.visibility[i]!));
  assert.ok(sum(eroded.visibility) < sum(plain.visibility));
});

Deno.test("the operator: at most 4 taps a sample, rows sum to the coverage, texels of the chart, adjoint", () => {
  const random = randomStream(4);
  for (const options of [{}, { samples: 3 }, { samples: 3, outline: "soft" as const }]) {
    const operator = renderOperator(posed(50), { topology, width: 113, height: 97, size: 64, ...options });
    const { inside } = uvMap(topology, 64);
    let covered = 0;
    for (let r = 0; r < operator.rows; r++) {
      const [start, end] = [operator.offsets[r]!, operator.offsets[r + 1]!];
      assert.ok(end - start <= 4 * (options.samples ?? 1) ** 2);
      const sum = operator.weights.subarray(start, end).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - operator.coverage[r]!) < 1e-5);
      assert.ok(operator.indices.subarray(start, end).every((texel) => inside[texel] === 1));
      covered += operator.coverage[r]!;
    }
    assert.ok(covered > 1000);
    assert.equal(operator.coverage.some((value) => value > 0 && value < 1), options.outline === "soft");
    const x = Float32Array.from({ length: operator.cols }, random);
    const y = Float32Array.from({ length: operator.rows }, random);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const left = dot(applyOperatorCpu(operator, x), y);
    const right = dot(x, applyOperatorCpu({ ...operator, ...transposeSparse(operator) }, y));
    assert.ok(Math.abs(left / right - 1) < 1e-6, `${left} ${right}`);
  }
});

Deno.test("pixels on minified texture and on edges are the mean of nine samples, all others one sample", () => {
  const random = randomStream(5);
  const [width, height, size] = [224, 220, 128];
  const vertices = posed(50);
  const texture = Float32Array.from({ length: 3 * size * size }, random);
  const draw = (operator: RenderOperator) => applyOperatorCpu(operator, texture);
  const large = renderOperator(vertices.map((value) => 3 * value), {
    topology,
    width: 3 * width,
    height: 3 * height,
    size,
  });
  const samples = draw(large);
  const picture = pictureOperator(vertices, { topology, width, height, size });
  const soft = pictureOperator(vertices, { topology, width, height, size, outline: "soft" });
  const [hardDrawn, softDrawn] = [draw(picture), draw(soft)];
  const kinds = { sharp: 0, mean: 0, outline: 0 };
  for (let pixel = 0; pixel < width * height; pixel++) {
    const centre = (3 * Math.floor(pixel / width) + 1) * 3 * width + 3 * (pixel % width) + 1;
    assert.equal(picture.coverage[pixel], large.coverage[centre]);
    const nine = [...Array(9).keys()].map((s) =>
      (3 * Math.floor(pixel / width) + Math.floor(s / 3)) * 3 * width + 3 * (pixel % width) + s % 3
    ).filter((at) => large.coverage[at] === 1);
    const mean = nine.reduce((sum, at) => sum + samples[3 * at]! / nine.length, 0);
    const near = (a: number, b: number) => Math.abs(a - b) < 1e-5;
    if (picture.coverage[pixel] === 1) {
      const isSharp = near(hardDrawn[3 * pixel]!, samples[3 * centre]!);
      assert.ok(isSharp || near(hardDrawn[3 * pixel]!, mean), `pixel ${pixel} is neither`);
      kinds[isSharp ? "sharp" : "mean"]++;
    }
    assert.ok(near(soft.coverage[pixel]!, nine.length / 9));
    if (nine.length === 0 || nine.length === 9) continue;
    kinds.outline++;
    assert.ok(near(softDrawn[3 * pixel]!, mean * nine.length / 9));
  }
  assert.ok(kinds.sharp > 10_000 && kinds.mean > 100 && kinds.outline > 100, JSON.stringify(kinds));
  assert.throws(() => renderOperator(vertices, { topology, samples: 2 }), /odd number/);
});

Deno.test("the back of the mesh is not rendered", () => {
  const behind = renderOperator(posed(180), { topology, size: 64 });
  assert.ok(behind.indices.length < 20, `${behind.indices.length} entries: only the folds under the nose`);
});

Deno.test("shadingMap is 1 in ambient light and brighter on the lit side", () => {
  const ambient = shadingMap(posed(20), { light: ambientLight(), topology, size: 64 });
  assert.ok(maxDifference(ambient, new Float32Array(ambient.length).fill(1)) < 1e-5);
  const light = ambientLight();
  light.fill(0.5, 3, 6);
  const lit = shadingMap(posed(0), { light, topology, size: 64 });
  const at = (x: number) => lit[3 * (32 * 64 + x)]!;
  assert.ok(at(56) > 1.2 && at(8) < 0.8, `${at(8)} ${at(56)}`);
});
