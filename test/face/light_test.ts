import assert from "node:assert/strict";
import { fitLight } from "../../face/fit_lights_cpu.ts";
import { shade } from "../../face/light_cpu.ts";
import { ambientLight } from "./ambient_light.ts";
import { solveCholesky, symmetricEigen } from "../../face/linear.ts";
import { maxDifference, randomStream } from "./head.ts";

const random = randomStream(2);

function randomNormals(count: number): Float32Array {
  const out = new Float32Array(3 * count);
  for (let i = 0; i < out.length; i += 3) {
    const v = [random() - 0.5, random() - 0.5, random() - 0.5];
    const length = Math.hypot(...v);
    out.set(v.map((value) => value / length), i);
  }
  return out;
}

Deno.test("shade equals DECA's basis written out for one normal", () => {
  const light = Float32Array.from({ length: 27 }, () => random() - 0.5);
  const [x, y, z] = [0.36, -0.48, 0.8];
  const pi = Math.PI;
  // decalib/utils/renderer.py: constant_factor, and the order [1, x, y, z, xy, xz, yz, x²−y², 3z²−1].
  const factor = [
    1 / Math.sqrt(4 * pi),
    ...Array(3).fill((2 * pi / 3) * Math.sqrt(3 / (4 * pi))),
    ...Array(3).fill((pi / 4) * 3 * Math.sqrt(5 / (12 * pi))),
    (pi / 4) * (3 / 2) * Math.sqrt(5 / (12 * pi)),
    (pi / 4) * (1 / 2) * Math.sqrt(5 / (4 * pi)),
  ];
  const basis = [1, x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1];
  const expected = [0, 1, 2].map((c) =>
    basis.reduce((sum, value, k) => sum + light[3 * k + c]! * value * factor[k]!, 0)
  );
  assert.ok(maxDifference(shade(Float32Array.of(x, y, z), light), expected) < 1e-6);
  assert.ok(maxDifference(shade(randomNormals(10), ambientLight()), new Float32Array(30).fill(1)) < 1e-6);
});

Deno.test("fitLight recovers a light, ignores samples without weight, and a ridge keeps half-seen faces tame", () => {
  const normals = randomNormals(500);
  const albedo = Float32Array.from({ length: 1500 }, () => 0.2 + 0.6 * random());
  const light = ambientLight().map((value) => value + 0.8 * (random() - 0.5));
  const colours = shade(normals, light).map((value, i) => value * albedo[i]!);
  const weights = Float32Array.from({ length: 500 }, (_, i) => i < 400 ? 0.1 + random() : 0);
  colours.fill(7, 1200);
  assert.ok(maxDifference(fitLight({ albedo, normals, colours, weights }, { ridge: 0 }), light) < 1e-3);

  const front = new Float32Array(1500).map((_, i) => i % 3 === 2 ? 1 : 0);
  const flat = fitLight({ albedo, normals: front, colours: albedo.map((value) => value * 0.8) });
  assert.ok(maxDifference(shade(Float32Array.of(0, 0, 1), flat), [0.8, 0.8, 0.8]) < 0.02);
  const behind = shade(Float32Array.of(1, 0, 0, 0, 0, -1), flat);
  assert.ok(behind.every((value) => value > 0.3 && value < 1.2), String(behind));
  assert.throws(() => fitLight({ albedo, normals, colours, weights: new Float32Array(500) }), RangeError);
});

Deno.test("fitLight is the minimum of its least squares and prior", () => {
  const normals = randomNormals(60);
  const albedo = Float32Array.from({ length: 180 }, () => 0.2 + 0.6 * random());
  const colours = Float32Array.from({ length: 180 }, () => random());
  const weights = Float32Array.from({ length: 60 }, () => random());
  const ridge = 0.05;
  const energy = [0, 1, 2].map((c) => weights.reduce((sum, w, i) => sum + w * albedo[3 * i + c]! ** 2, 0));
  const mean = energy.reduce((a, b) => a + b) / 3;
  const cost = (light: Float32Array) => {
    const shading = shade(normals, light);
    let sum = 0;
    for (let i = 0; i < 180; i++) sum += weights[Math.floor(i / 3)]! * (albedo[i]! * shading[i]! - colours[i]!) ** 2;
    for (let band = 0; band < 9; band++) {
      const channels = light.subarray(3 * band, 3 * band + 3);
      const common = (channels[0]! + channels[1]! + channels[2]!) / 3;
      for (const [c, value] of channels.entries()) {
        const pull = ridge * energy[c]!;
        if (band === 0) sum += 1e-3 * pull * (value - Math.sqrt(4 * Math.PI)) ** 2;
        else sum += (band < 4 ? 1 : 16) * pull * value ** 2 + 10 * ridge * mean * (value - common) ** 2;
      }
    }
    return sum;
  };
  const light = fitLight({ albedo, normals, colours, weights }, { ridge });
  const least = cost(light);
  for (let k = 0; k < 27; k++) {
    for (const step of [-1e-2, 1e-2]) {
      assert.ok(cost(light.with(k, light[k]! + step)) > least, `band ${Math.floor(k / 3)}, channel ${k % 3}`);
    }
  }
});

Deno.test("a prior on order and tint makes a light fitted to half a face fit the other half better", () => {
  // A white lamp to the left of a face of which the right half is seen, and noise as of an albedo that is not quite
  // right.
  const light = ambientLight().map((value, k) => Math.floor(k / 3) === 1 ? -0.25 : value);
  const normals = randomNormals(2000).map((value, i) => i % 3 === 2 ? Math.abs(value) : value);
  const albedo = Float32Array.from({ length: 6000 }, (_, i) => [0.7, 0.5, 0.4][i % 3]!);
  const truth = shade(normals, light);
  const colours = truth.map((value, i) =>
    value * (albedo[i]! + 0.04 * Math.sin(7 * normals[3 * Math.floor(i / 3)]! + i % 3))
  );
  const weights = Float32Array.from({ length: 2000 }, (_, i) => normals[3 * i]! > 0 ? 1 : 0);
  const shaded = shade(normals, fitLight({ albedo, normals, colours, weights }));
  const unseen = truth.filter((_, i) => weights[Math.floor(i / 3)] === 0).length;
  const error = truth.reduce(
    (sum, value, i) => sum + (1 - weights[Math.floor(i / 3)]!) * Math.abs(value - shaded[i]!),
    0,
  );
  // 0.042 with equal pulls and no tie between the channels.
  assert.ok(error / unseen < 0.025, `${error / unseen}`);
});

Deno.test("solveCholesky solves, and says when a matrix is not positive definite", () => {
  // numpy.linalg.solve([[4, 2, 1], [2, 5, 3], [1, 3, 6]], [[1, 0], [2, 1], [3, -1]])
  const matrix = Float64Array.of(4, 2, 1, 2, 5, 3, 1, 3, 6);
  const x = solveCholesky({ matrix, right: Float64Array.of(1, 0, 2, 1, 3, -1) });
  const product = [0, 1, 2].flatMap((r) =>
    [0, 1].map((c) => [0, 1, 2].reduce((sum, k) => sum + matrix[3 * r + k]! * x[2 * k + c]!, 0))
  );
  assert.ok(maxDifference(product, [1, 0, 2, 1, 3, -1]) < 1e-12);
  assert.throws(() => solveCholesky({ matrix: Float64Array.of(1, 2, 2, 1), right: Float64Array.of(1, 1) }), /pivot 1/);
});

Deno.test("symmetricEigen gives orthonormal vectors that rebuild the matrix, also when values repeat", () => {
  const n = 12;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = random() - 0.5;
  for (const a of [matrix, Float64Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? 2 : 0)]) {
    const size = Math.sqrt(a.length);
    const { values, vectors } = symmetricEigen(a);
    assert.deepEqual([...values], [...values].sort((p, q) => q - p));
    const rebuilt = a.map((_, at) => {
      const [i, j] = [Math.floor(at / size), at % size];
      return values.reduce((sum, value, k) => sum + value * vectors[k * size + i]! * vectors[k * size + j]!, 0);
    });
    assert.ok(maxDifference(rebuilt, a) < 1e-10);
    const products = a.map((_, at) => {
      const [i, j] = [Math.floor(at / size) * size, (at % size) * size];
      return vectors.subarray(i, i + size).reduce((sum, value, k) => sum + value * vectors[j + k]!, 0);
    });
    assert.ok(maxDifference(products, a.map((_, at) => at % (size + 1) === 0 ? 1 : 0)) < 1e-10);
  }
});
