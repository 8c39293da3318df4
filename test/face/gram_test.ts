import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { gramMatrix, principalComponentsOnDevice } from "../../face/gram.ts";
import { principalComponents } from "../../face/pca.ts";
import { gaussian } from "../../nets/random.ts";
import { maxDifference } from "./head.ts";

const tf = await openTfjs();

function vectorsOf(n: number, length: number): Float32Array[] {
  const normal = gaussian(n);
  return Array.from({ length: n }, (_, i) => Float32Array.from({ length }, () => normal() / (1 + i / 4)));
}

function gramOnCpu(vectors: readonly Float32Array[]): Float64Array {
  return Float64Array.from({ length: vectors.length ** 2 }, (_, at) => {
    const [a, b] = [vectors[Math.floor(at / vectors.length)]!, vectors[at % vectors.length]!];
    return a.reduce((sum, value, k) => sum + value * b[k]!, 0);
  });
}

for (const [n, length] of [[1, 1], [3, 7], [5, 9001], [65, 130]] as const) {
  Deno.test(`gramMatrix() has the products of ${n} vectors of ${length}, the same bits in any company`, async () => {
    const vectors = vectorsOf(n, length);
    const [gram, expected] = [await gramMatrix(tf, vectors), gramOnCpu(vectors)];
    assert.ok(maxDifference(gram, expected) < 3e-7 * Math.max(...expected));
    assert.deepEqual(await gramMatrix(tf, vectors), gram);
    const few = Math.min(n, 2);
    const alone = await gramMatrix(tf, vectors.slice(0, few));
    for (let i = 0; i < few; i++) for (let j = 0; j < few; j++) assert.equal(alone[i * few + j], gram[i * n + j]);
  });
}

Deno.test("gramMatrix() has the same bits where the columns do not go to the device at once", async () => {
  // A block has half a million columns of few vectors, and 8,192 of 512.
  const long = vectorsOf(3, 9001);
  const many = [...long, ...Array.from({ length: 509 }, () => new Float32Array(9001))];
  const [whole, cut] = [await gramMatrix(tf, long), await gramMatrix(tf, many)];
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) assert.equal(cut[i * 512 + j], whole[i * 3 + j]);
});

for (const [n, length, count] of [[2, 5, 9], [7, 1003, 9], [30, 6001, 20]] as const) {
  Deno.test(`principalComponentsOnDevice() are those of ${n} vectors of ${length}`, async () => {
    const vectors = vectorsOf(n, length);
    const [found, expected] = [
      await principalComponentsOnDevice(tf, vectors, { count }),
      principalComponents(vectors, { count }),
    ];
    assert.equal(found.sigma.length, expected.sigma.length);
    assert.ok(maxDifference(found.sigma, expected.sigma) < 1e-6 * expected.sigma[0]!);
    // Equal but for the sign, which an eigenvector does not have.
    for (let k = 0; k < found.sigma.length; k++) {
      const [a, b] = [found, expected].map(({ basis }) => basis.subarray(k * length, (k + 1) * length));
      const product = a!.reduce((sum, value, i) => sum + value * b![i]!, 0);
      assert.ok(Math.abs(Math.abs(product) - 1) < 1e-5, `component ${k}: ${product}`);
    }
  });
}

Deno.test("principalComponentsOnDevice() takes the sign that its samples' order says", async () => {
  const vectors = vectorsOf(6, 900);
  const { basis, sigma } = await principalComponentsOnDevice(tf, vectors, { count: 4 });
  assert.equal(sigma.length, 4);
  for (let k = 0; k < 4; k++) {
    const row = basis.subarray(900 * k, 900 * (k + 1));
    // A component's share of a sample is its sample's weight times its variance.
    const ordered = vectors.reduce(
      (sum, vector, i) => sum + (i + 1) * vector.reduce((dot, value, d) => dot + value * row[d]!, 0),
      0,
    );
    assert.ok(ordered > 0, `component ${k}: ${ordered}`);
  }
});

Deno.test("principalComponentsOnDevice() drops directions that are only rounding", async () => {
  const [a, b] = vectorsOf(2, 5000) as [Float32Array, Float32Array];
  const sum = a.map((value, i) => value + b[i]!);
  const { sigma, basis } = await principalComponentsOnDevice(tf, [a, b, sum, a]);
  assert.equal(sigma.length, 2);
  assert.equal(basis.length, 2 * 5000);
  assert.deepEqual((await principalComponentsOnDevice(tf, [new Float32Array(9), new Float32Array(9)])).sigma.length, 0);
  assert.deepEqual((await principalComponentsOnDevice(tf, [])).sigma.length, 0);
});

Deno.test("gramMatrix() names the vector that does not fit or is not finite", async () => {
  await assert.rejects(gramMatrix(tf, [new Float32Array(3), new Float32Array(4)]), /Vector 1 has 4 values/);
  await assert.rejects(gramMatrix(tf, [new Float32Array(3), Float32Array.of(1, NaN, 2)]), /Vector 1 has a value/);
});
