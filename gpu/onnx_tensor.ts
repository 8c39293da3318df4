/** What a network takes and gives: tensors on the CPU, or in buffers of the shared device. */

/** A dense float tensor on the CPU, row-major. `data.length` is the product of `dims`. */
export interface OnnxTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/**
 * A dense float tensor in a buffer of the shared device, row-major, padded to a multiple of four values. It stays the
 * caller's.
 */
export interface DeviceTensor {
  readonly buffer: GPUBuffer;
  readonly dims: readonly number[];
}

/** A tensor for each input. */
export type Feeds = Readonly<Record<string, OnnxTensor | DeviceTensor>>;
