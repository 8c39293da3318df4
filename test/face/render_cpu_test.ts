import assert from "node:assert/strict";
import { applyOperatorCpu, pictureOperator, type RenderOperator, renderOperator } from "../../face/render_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { transposeSparse } from "@ftim/gpu/sparse-matrix";
import { gridHead, posedHead, randomStream } from "./head.ts";

const { topology, model } = gridHead(21);
const posed = (yaw: number) => posedHead(yaw, model);

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
