/**
 * Operands as textures of four floats a texel, for adapters that run on the CPU.
 *
 * There a load from a buffer is a loop over lanes with a bounds check for each, while a load from a storage texture is
 * straight code: 4.6 times faster, and a third of the time to compile (measured on llvmpipe, Mesa 22.3, where a sampled
 * texture is 1.5 times faster than a buffer). Packing also pads channels to four and transposes filters, so the kernels
 * need no special case for 1, 3 or 17 channels. It costs one pass over the data.
 */

import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { dispatch, program } from "./dispatch.ts";
import { ROW_BITS, textureFor, type Wanted } from "./texel_textures.ts";

/** WGSL of a texel's load by flat index from the texture `name`. The index is evaluated twice. */
export function fetchTexel(name: string, index: string): string {
  return `textureLoad(${name}, vec2<i32>((${index}) & ${(1 << ROW_BITS) - 1}, (${index}) >> ${ROW_BITS}u))`;
}

/** WGSL that writes a texel by flat index into the texture `result`. */
export function storeTexel(index: string, value: string): string {
  return `textureStore(result, vec2<i32>((${index}) & ${(1 << ROW_BITS) - 1}, (${index}) >> ${ROW_BITS}u), ${value});`;
}

/**
 * How a tensor becomes texels: texel (o, i, g) has the elements o·outerStride + i·innerStride +
 * (4g..4g+3)·channelStride, or zero beyond a count.
 */
export interface Packing<Tensor = TensorInfo> {
  readonly outer: number;
  readonly outerStride: number;
  readonly inner: number;
  /** Texels are laid out as if there were this many; those beyond `inner` are zero. */
  readonly innerPadded: number;
  readonly innerStride: number;
  readonly channels: number;
  readonly channelStride: number;
  /** One slot's texture is overwritten by the next packing into it. */
  readonly slot: string;
  /**
   * Whether the texels stay for as long as the tensor's data (see texel_textures.ts) and serve every later packing of
   * it. Default "never".
   */
  readonly keep?: Wanted["keep"];
  /**
   * Multiplies an element by `slope` where that of `value` is not positive: the gradient through a leaky relu with that
   * result.
   */
  readonly through?: Through<Tensor> | undefined;
  /** Whether the slot already holds just this. */
  readonly packed?: boolean;
}

/** A leaky relu to pass a gradient through. */
export interface Through<Tensor = TensorInfo> {
  /** The activation's result, of the gradient's shape. */
  readonly value: Tensor;
  readonly slope: number;
}

/**
 * Packs a tensor. Unless kept, the result lives until the next call with its slot; use it at once, and do not dispose
 * it.
 */
export function pack(backend: WebGPUBackend, source: TensorInfo, packing: Packing): TensorInfo {
  const { outer, outerStride, inner, innerPadded, innerStride, channels, channelStride, through, packed } = packing;
  const groups = Math.ceil(channels / 4);
  const count = outer * innerPadded * groups;
  const layout = [count, groups, innerPadded, inner, outerStride, innerStride, channels, channelStride];
  const { slot, keep = "never" } = packing;
  // What a gradient passes through is another tensor's, so such a packing does not belong to the source alone.
  const name = `${layout}${through === undefined ? "" : " through"}`;
  const { texture: into, written } = textureFor(backend, source, { layout: name, count, slot, keep });
  if (written || packed) return into;
  const plain = channels % 4 === 0 && channelStride === 1 && inner === innerPadded &&
    (inner === 1 || innerStride === channels) && outerStride === inner * channels;
  return dispatch(backend, {
    key: `${plain ? "pack_plain" : "pack_strided"}${through === undefined ? "" : "_through"}`,
    code: () => plain ? plainCode(through !== undefined) : stridedCode(through !== undefined),
    inputs: through === undefined ? [source] : [source, through.value],
    shape: [count * 4],
    into,
    uniforms: [...(plain ? [count] : layout), { f32: through?.slope ?? 1 }],
    invocations: count,
  });
}

const STORE = storeTexel("id", "texel");

function plainCode(through: boolean): string {
  return program({
    result: "texture",
    inputs: [["source", "vec4<f32>"], ...(through ? [["value", "vec4<f32>"] as const] : [])],
    uniforms: ["count", "slope:f32"],
    body: `
  if (id >= u.count) { return; }
  ${
      through
        ? "let texel = select(source[id] * u.slope, source[id], value[id] > vec4<f32>());"
        : "let texel = source[id];"
    }
  ${STORE}`,
  });
}

function stridedCode(through: boolean): string {
  return program({
    result: "texture",
    inputs: [["source", "f32"], ...(through ? [["value", "f32"] as const] : [])],
    uniforms: [
      "count",
      "groups",
      "innerPadded",
      "inner",
      "outerStride",
      "innerStride",
      "channels",
      "channelStride",
      "slope:f32",
    ],
    body: `
  if (id >= u.count) { return; }
  let channel = (id % u.groups) * 4;
  let row = id / u.groups;
  let inner = row % u.innerPadded;
  var texel = vec4<f32>();
  if (inner < u.inner) {
    let first = (row / u.innerPadded) * u.outerStride + inner * u.innerStride;
    for (var k = 0; k < 4; k++) {
      if (channel + k < u.channels) {
        let at = first + (channel + k) * u.channelStride;
        texel[k] = ${through ? "select(source[at] * u.slope, source[at], value[at] > 0.0)" : "source[at]"};
      }
    }
  }
  ${STORE}`,
  });
}
