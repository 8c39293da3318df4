/**
 * Where the uniforms of recorded dispatches lie: many in one buffer. A driver keeps a block of 64 to 256 MB for as long
 * as one small buffer lies in it, so thousands of buffers of 100 bytes each, made over the life of a process, hold on
 * to memory that nothing else uses any more.
 */

/** A uniform's place. It is written once and never again. */
export interface UniformPlace {
  readonly buffer: GPUBuffer;
  /** Bytes from the start of the buffer. */
  readonly offset: number;
  readonly size: number;
}

/** Bytes of one buffer: some thousand uniforms. A buffer goes when the last of its uniforms is forgotten. */
const PAGE = 1 << 18;

/**
 * Gives uniforms their places, one after the other.
 *
 * @returns writes bytes to a place of their own; they are there before whatever is submitted after
 */
export function uniformPages(device: GPUDevice): (bytes: Uint8Array<ArrayBuffer>) => UniformPlace {
  const step = device.limits.minUniformBufferOffsetAlignment;
  let page: GPUBuffer | undefined;
  let [end, room] = [0, 0];
  return (bytes) => {
    const size = bytes.byteLength;
    if (page === undefined || end + size > room) {
      room = Math.max(PAGE, size);
      page = device.createBuffer({ size: room, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
      end = 0;
    }
    const place = { buffer: page, offset: end, size };
    device.queue.writeBuffer(page, end, bytes);
    end += Math.ceil(size / step) * step;
    return place;
  };
}
