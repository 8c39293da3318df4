/** UV maps mirrored, in plain loops: the reference of `tf.reverse` along a row. Tests and benchmarks alone use it. */

/**
 * A UV map mirrored about u = 0.5. The chart is exactly symmetric (see `createTopology`), so this is each row reversed:
 * texel (x, y) takes its value from (size−1−x, y). An involution, bit for bit.
 *
 * @param values size²·channels.
 * @param size Side of the map in texels.
 */
export function flipMap(values: Float32Array, size: number): Float32Array {
  const channels = values.length / (size * size);
  if (!Number.isInteger(channels)) throw new RangeError(`${values.length} values are no map of ${size}×${size}`);
  const out = new Float32Array(values.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (y * size + x) * channels;
      const from = (y * size + size - 1 - x) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = values[from + c]!;
    }
  }
  return out;
}
