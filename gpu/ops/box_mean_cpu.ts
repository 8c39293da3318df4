/** The mean over squares as running sums in double precision: the reference of box_mean.ts. */

/**
 * Mean of each value's square neighbourhood in a square single-channel map; beyond the border the border's values
 * repeat. The cost does not depend on the radius.
 *
 * @param values size² values.
 * @param options.radius The neighbourhood is 2·radius + 1 wide.
 */
export function boxMeanCpu(values: Float32Array, { size, radius }: { size: number; radius: number }): Float32Array {
  const line = new Float64Array(size + 2 * radius);
  const pass = (from: Float32Array, { stride, next }: { stride: number; next: number }) => {
    const out = new Float32Array(from.length);
    for (let k = 0, start = 0; k < size; k++, start += next) {
      for (let i = 0; i < size; i++) line[radius + i] = from[start + i * stride]!;
      line.fill(line[radius]!, 0, radius).fill(line[radius + size - 1]!, radius + size);
      let sum = 0;
      for (let i = 0; i < 2 * radius; i++) sum += line[i]!;
      for (let i = 0; i < size; i++) {
        sum += line[i + 2 * radius]!;
        out[start + i * stride] = sum / (2 * radius + 1);
        sum -= line[i]!;
      }
    }
    return out;
  };
  return radius > 0 ? pass(pass(values, { stride: 1, next: size }), { stride: size, next: 1 }) : values;
}
