/** Matrix product as plain loops in double precision: the definition of what mat_mul.ts computes. */

import { type Dense, zeros } from "../dense.ts";
import { activateCpu } from "./activation_cpu.ts";
import type { MatMulOperands } from "./mat_mul.ts";

/** activation(a · b + bias): [.., rows, columns]. The matrix b serves every matrix of a. */
export function matMulCpu(
  { a, b, bias, transposeA, transposeB, epilogue }: MatMulOperands<Dense>,
): Dense<Float64Array> {
  const [rowsA = 1, columnsA = 1] = a.shape.slice(-2);
  const [rowsB = 1, columnsB = 1] = b.shape.slice(-2);
  const [rows, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const columns = transposeB ? rowsB : columnsB;
  const y = zeros([...a.shape.slice(0, -2), rows, columns]);
  for (let n = 0; n < y.data.length / (rows * columns); n++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = bias?.data[j] ?? 0;
        for (let k = 0; k < inner; k++) {
          const left = n * rows * inner + (transposeA ? k * rows + i : i * inner + k);
          const right = transposeB ? j * inner + k : k * columns + j;
          sum += a.data[left]! * b.data[right]!;
        }
        y.data[(n * rows + i) * columns + j] = activateCpu(sum, epilogue);
      }
    }
  }
  return y;
}
