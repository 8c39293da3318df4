/**
 * Mean of each value's square neighbourhood in a square single-channel map; beyond the border the border's values
 * repeat. Running sums in f64, so the cost does not depend on the radius.
 *
 * @param values size² values.
 * @param options.radius The neighbourhood is 2·radius + 1 wide.
 */
export function boxMean(values: Float32Array, { size, radius }: { size: number; radius: number }): Float32Array {
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

/** 0 up to `low`, 1 from `high` on, and a smooth cubic between. */
export function smoothstep(low: number, high: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}
