/** Push-pull as plain loops: the reference of push_pull.ts. */

/**
 * Fills what is not known in a square map with a smooth continuation of what is (push-pull: Gortler et al. 1996, "The
 * Lumigraph", §3.4). Push: means of 2×2 blocks, weighted, down to one texel. Pull: back up, bilinearly, each texel
 * taking from above as much as its own weight leaves.
 *
 * @param values size²·channels.
 * @param options.weights size², 0 (unknown) to 1 (known, kept as it is).
 * @returns size²·channels; 0 everywhere if nothing is known.
 */
export function pushPullCpu(
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
        const px = 2 * x + (k & 1);
        const py = 2 * y + (k >> 1);
        if (px >= size || py >= size) continue;
        const from = py * size + px;
        const weight = weights[from]!;
        if (weight === 0) continue;
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
  const filled = pushPullCpu(coarse, { weights: coarseWeights, size: half });
  const smooth = enlargeCpu(filled, { from: half, to: size });
  for (let i = 0, c = 0; i < weights.length; i++) {
    const weight = Math.min(1, weights[i]!);
    for (let k = 0; k < channels; k++, c++) smooth[c] = weight * values[c]! + (1 - weight) * smooth[c]!;
  }
  return smooth;
}

/**
 * A square map brought to a larger size bilinearly; texel (0, 0) of both maps has its corner at the origin, and a texel
 * of the smaller map covers the same whole number of texels of the larger (the last row may stand over).
 */
export function enlargeCpu(values: Float32Array, { from, to }: { from: number; to: number }): Float32Array {
  const channels = values.length / (from * from);
  const ratio = Math.ceil(to / from);
  const out = new Float32Array(to * to * channels);
  // Where a row or a column of the larger map reads: two of the smaller, and the share of the second.
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max((i + 0.5) / ratio - 0.5, 0), from - 1);
    first[i] = Math.floor(at);
    second[i] = Math.min(first[i]! + 1, from - 1);
    share[i] = at - first[i]!;
  }
  for (let y = 0, at = 0; y < to; y++) {
    const [upper, lower, fy] = [first[y]! * from, second[y]! * from, share[y]!];
    for (let x = 0; x < to; x++) {
      const fx = share[x]!;
      const left = first[x]! * channels;
      const right = second[x]! * channels;
      const a = upper * channels + left;
      const b = upper * channels + right;
      const c = lower * channels + left;
      const d = lower * channels + right;
      for (let k = 0; k < channels; k++) {
        const top = values[a + k]! * (1 - fx) + values[b + k]! * fx;
        const low = values[c + k]! * (1 - fx) + values[d + k]! * fx;
        out[at++] = top * (1 - fy) + low * fy;
      }
    }
  }
  return out;
}
