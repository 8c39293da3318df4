/**
 * Fills what is not known in a square map with a smooth continuation of what is (push-pull: Gortler et al. 1996, "The
 * Lumigraph", §3.4). Push: means of 2×2 blocks, weighted, down to one texel. Pull: back up, bilinearly, each texel taking
 * from above as much as its own weight leaves.
 *
 * @param values size²·channels.
 * @param options.weights size², 0 (unknown) to 1 (known, kept as it is).
 * @returns size²·channels; 0 everywhere if nothing is known.
 */
export function pushPull(
  values: Float32Array,
  { weights, size }: { weights: Float32Array; size: number },
): Float32Array {
  const channels = values.length / (size * size);
  if (size === 1) return values.map((value) => weights[0]! > 0 ? value : 0);
  const half = Math.ceil(size / 2);
  const coarse = new Float32Array(half * half * channels);
  const coarseWeights = new Float32Array(half * half);
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      const to = y * half + x;
      let total = 0;
      for (let k = 0; k < 4; k++) {
        const [px, py] = [2 * x + (k & 1), 2 * y + (k >> 1)];
        if (px >= size || py >= size) continue;
        const from = py * size + px;
        const weight = weights[from]!;
        total += weight;
        for (let c = 0; c < channels; c++) {
          coarse[to * channels + c] = coarse[to * channels + c]! + weight * values[from * channels + c]!;
        }
      }
      if (total > 0) {
        for (let c = 0; c < channels; c++) coarse[to * channels + c] = coarse[to * channels + c]! / total;
      }
      coarseWeights[to] = Math.min(1, total);
    }
  }
  const filled = pushPull(coarse, { weights: coarseWeights, size: half });
  const smooth = enlarge(filled, { from: half, to: size });
  for (let i = 0; i < weights.length; i++) {
    const weight = Math.min(1, weights[i]!);
    for (let c = i * channels; c < (i + 1) * channels; c++) smooth[c] = weight * values[c]! + (1 - weight) * smooth[c]!;
  }
  return smooth;
}

/**
 * A square map brought to a larger size bilinearly; texel (0, 0) of both maps has its corner at the origin, and a texel
 * of the smaller map covers the same whole number of texels of the larger (the last row may stand over).
 */
export function enlarge(values: Float32Array, { from, to }: { from: number; to: number }): Float32Array {
  const channels = values.length / (from * from);
  const ratio = Math.ceil(to / from);
  const out = new Float32Array(to * to * channels);
  for (let y = 0; y < to; y++) {
    const sy = Math.min(Math.max((y + 0.5) / ratio - 0.5, 0), from - 1);
    const y0 = Math.floor(sy);
    const y1 = Math.min(y0 + 1, from - 1);
    for (let x = 0; x < to; x++) {
      const sx = Math.min(Math.max((x + 0.5) / ratio - 0.5, 0), from - 1);
      const x0 = Math.floor(sx);
      const x1 = Math.min(x0 + 1, from - 1);
      const [fx, fy] = [sx - x0, sy - y0];
      for (let c = 0; c < channels; c++) {
        const top = values[(y0 * from + x0) * channels + c]! * (1 - fx) + values[(y0 * from + x1) * channels + c]! * fx;
        const low = values[(y1 * from + x0) * channels + c]! * (1 - fx) + values[(y1 * from + x1) * channels + c]! * fx;
        out[(y * to + x) * channels + c] = top * (1 - fy) + low * fy;
      }
    }
  }
  return out;
}
