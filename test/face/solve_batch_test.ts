import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { solveCholesky } from "../../face/linear.ts";
import { solutionLength, solveSystems } from "../../face/solve_batch.ts";
import { random, relativeError } from "../gpu/arrays.ts";

const tf = await openTfjs();

/** Systems that are random squares and a ridge. */
function systemsOf(n: number, batch: number): { matrix: Float64Array; right: Float64Array }[] {
  return Array.from({ length: batch }, (_, seed) => {
    const { data } = random([n, n], seed + 1);
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = i === j ? 0.1 : 0;
        for (let k = 0; k < n; k++) sum += data[i * n + k]! * data[j * n + k]!;
        matrix[i * n + j] = sum;
      }
    }
    return { matrix, right: Float64Array.from(random([n], seed + 99).data) };
  });
}

async function solve(systems: readonly { matrix: Float64Array; right: Float64Array }[]): Promise<Float32Array[]> {
  const n = systems[0]!.right.length;
  const values = new Float32Array(n * (n + 1) * systems.length);
  systems.forEach(({ matrix, right }, face) => {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= n; j++) {
        // What lies above the diagonal is not read.
        const value = j === n ? right[i]! : j > i ? NaN : matrix[i * n + j]!;
        values[(i * (n + 1) + j) * systems.length + face] = value;
      }
    }
  });
  const solution = tf.tidy(() => solveSystems(tf, tf.tensor3d(values, [n, n + 1, systems.length])));
  const found = await solution.data<"float32">();
  solution.dispose();
  const length = solutionLength(n);
  return systems.map((_, face) => found.slice(face * length, (face + 1) * length));
}

for (const { n, batch } of [{ n: 1, batch: 65 }, { n: 27, batch: 3 }, { n: 84, batch: 2 }, { n: 180, batch: 1 }]) {
  Deno.test(`solveSystems() is solveCholesky() of each system: ${batch} of ${n}`, async () => {
    const systems = systemsOf(n, batch);
    const found = await solve(systems);
    found.forEach((solution, face) => {
      assert.ok(relativeError(solution.slice(0, n), solveCholesky(systems[face]!)) < 1e-4);
      assert.deepEqual([...solution.slice(n)], [1, 0, 0, 0].slice(0, solutionLength(n) - n));
    });
    assert.deepEqual(await solve(systems.slice(-1)), found.slice(-1));
    await (await openGpu()).assertHealthy("solve systems test");
  });
}

Deno.test("solveSystems() says which system has no solution, and solves the others", async () => {
  const systems = systemsOf(6, 3);
  systems[1]!.matrix[3 * 6 + 3] = -1;
  const found = await solve(systems);
  assert.deepEqual([...found[1]!], Array(8).fill(0));
  assert.deepEqual(found.map((solution) => solution[6]), [1, 0, 1]);
});

Deno.test("solveSystems() refuses systems that llvmpipe would not finish", () => {
  assert.throws(() => solveSystems(tf, tf.zeros([257, 258, 1])), /257 unknowns/);
});
