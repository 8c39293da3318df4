/**
 * The bytes of a uniform struct, as WGSL lays it out (https://www.w3.org/TR/WGSL/#alignment-and-size): what tfjs hands
 * over as a list of its fields.
 */

/**
 * A field: one to six numbers. Two are a vec2, three a vec3, four a vec4; five and six tfjs declares as structs,
 * aligned like a vec4.
 */
export interface UniformField {
  readonly type: string;
  readonly data: readonly number[];
}

/** Fields of more bytes than these get memory of their own. */
const SCRATCH = new ArrayBuffer(4096);

/**
 * Lays fields out in the order of the struct. An empty field holds a 1, as tfjs has it for the shape of a scalar.
 *
 * @returns the bytes, good until the next call
 * @throws {RangeError} if a field has more than six numbers
 */
export function layUniforms(fields: readonly UniformField[]): Uint8Array<ArrayBuffer> {
  const offsets: number[] = [];
  let [end, most, last] = [0, 4, 0];
  for (const { data } of fields) {
    const length = Math.max(1, data.length);
    if (length > 6) throw new RangeError(`A uniform of ${length} numbers has no type`);
    const alignment = last > 4 || length > 2 ? 16 : 4 * length;
    end = roundUp(end, alignment);
    offsets.push(end);
    end += 4 * length;
    [most, last] = [Math.max(most, alignment), length];
  }
  const size = roundUp(end, most);
  const buffer = size > SCRATCH.byteLength ? new ArrayBuffer(size) : SCRATCH;
  const view = new DataView(buffer);
  const bytes = new Uint8Array(buffer, 0, size).fill(0);
  for (const [i, { type, data }] of fields.entries()) {
    const offset = offsets[i]!;
    if (data.length === 0) put(view, { type, offset, value: 1 });
    for (let k = 0; k < data.length; k++) put(view, { type, offset: offset + 4 * k, value: data[k]! });
  }
  return bytes;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function put(view: DataView, { type, offset, value }: { type: string; offset: number; value: number }): void {
  if (type === "int32") view.setInt32(offset, value, true);
  else if (type === "uint32") view.setUint32(offset, value, true);
  else view.setFloat32(offset, value, true);
}
