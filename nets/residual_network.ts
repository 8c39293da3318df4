/**
 * Runs a network of residual blocks (residual_layers.ts) with a pass for each convolution: bias, shortcut and leaky
 * relu are computed where its sums are. tfjs runs a block as eight passes, each of which reads and writes all values,
 * and takes twice as long on two CPU cores. Not differentiable.
 */
import type { Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import { type TexelTexture, texelTexture } from "@ftim/gpu/ops/texel-texture";
import { type Run, run } from "@ftim/gpu/wgsl";
import type { GraphModelFiles } from "./graph_model.ts";
import { type Layer, readResidualLayers, type ResidualLayers, type Value } from "./residual_layers.ts";
import {
  DEPTHWISE,
  depthwiseCode,
  FIRST_COLUMNS,
  firstCode,
  packCode,
  PIXELS,
  pointwiseCode,
} from "./residual_wgsl.ts";

/** An open network. */
export interface ResidualNetwork {
  /**
   * What the heads say of pictures.
   *
   * @param x `[B, size, size, 3]`
   * @returns a tensor for each head, `[B, channels, filled up to whole groups of four]`
   */
  apply(x: Tensor4D): Tensor2D[];
  dispose(): void;
}

/** Options of `openResidualNetwork`. */
export interface ResidualNetworkOptions {
  /** Nodes whose results are wanted. */
  readonly heads: readonly string[];
  /** Side of the input. */
  readonly size: number;
}

/** Pictures at a time: as many as have room in the textures, whose size is part of what an adapter compiles. */
const AT_ONCE = 16;

/**
 * Opens a network.
 *
 * @throws {TypeError} if the graph is no such network; and as `openGraphModel`
 */
export function openResidualNetwork(
  tf: Tfjs,
  files: GraphModelFiles,
  { heads, size }: ResidualNetworkOptions,
): ResidualNetwork {
  const { layers, constants, places } = readResidualLayers(tf, files, { heads, size });
  const weights = texelTexture(tf, constants);
  const room = AT_ONCE * Math.max(...layers.flatMap(({ from, to }) => [texelsOf(from), texelsOf(to)]));
  const textures = Array.from({ length: places }, () => texelTexture(tf, room));
  const device = { weights: weights.tensor, places: textures.map(({ tensor }) => tensor) };

  return {
    apply: (x) =>
      tf.tidy(() => {
        const parts: Tensor[][] = [];
        for (let first = 0; first < x.shape[0]; first += AT_ONCE) {
          const count = Math.min(AT_ONCE, x.shape[0] - first);
          const part = count === x.shape[0] ? x : tf.slice(x, [first, 0, 0, 0], [count, -1, -1, -1]);
          parts.push(runLayers(tf, layers, { x: part, count, ...device }));
        }
        return heads.map((_, head) => tf.concat(parts.map((part) => part[head]!)) as Tensor2D);
      }),
    dispose: () => [weights, ...textures].forEach((texture: TexelTexture) => texture.destroy()),
  };
}

const texelsOf = ({ size, groups }: Omit<Value, "place">) => size ** 2 * groups;

interface Pictures {
  readonly x: Tensor;
  readonly count: number;
  readonly weights: Tensor;
  readonly places: readonly Tensor[];
}

/** The heads' results. */
function runLayers(tf: Tfjs, layers: ResidualLayers["layers"], { x, count, weights, places }: Pictures): Tensor[] {
  const pixels = x.size / 3;
  const into = places[0]!;
  const uniforms = [pixels];
  run(tf, {
    key: "residual_pack",
    code: packCode,
    inputs: [x],
    into,
    shape: into.shape,
    uniforms,
    invocations: pixels,
  });
  return layers.flatMap((layer) => {
    const { from, to, shortcut } = layer;
    const inputs = [places[from.place]!, weights, ...(shortcut === undefined ? [] : [places[shortcut.place]!])];
    if (layer.kind !== "head") {
      const into = places[to.place]!;
      run(tf, { ...passOf(layer, count), inputs, into, shape: into.shape });
      return [];
    }
    return [run(tf, { ...passOf(layer, count), inputs, shape: [count, 4 * to.groups] })];
  });
}

/** The pass of a layer over so many pictures. */
function passOf(layer: Layer, count: number): Pick<Run, "key" | "code" | "uniforms" | "invocations"> {
  const { kind, from, to, stride, filter, bias, slopes, shortcut } = layer;
  const up = Math.ceil;
  if (kind === "first") {
    const invocations = to.groups / 2 * up(to.size / FIRST_COLUMNS) * to.size * count;
    const uniforms = [invocations, to.size, to.groups, filter, bias, slopes];
    return { key: "residual_first", code: firstCode, uniforms, invocations };
  }
  if (kind === "depthwise") {
    const { rows, columns } = DEPTHWISE;
    const invocations = to.groups * up(to.size / columns) * up(to.size / rows(stride)) * count;
    const uniforms = [invocations, to.size, from.size, to.groups, filter];
    return { key: `residual_depthwise_${stride}`, code: () => depthwiseCode(stride), uniforms, invocations };
  }
  const head = kind === "head";
  const pixels = count * to.size ** 2;
  const invocations = up(to.groups / 2) * up(pixels / PIXELS);
  const added = shortcut === undefined ? "none" : shortcut.size === to.size ? "plain" : "pooled";
  const fromGroups = head ? texelsOf(from) : from.groups;
  return {
    key: `residual_${kind}_${added}`,
    code: () => pointwiseCode({ shortcut: added, head }),
    uniforms: [
      invocations,
      pixels,
      to.size,
      fromGroups,
      to.groups,
      filter,
      bias,
      Math.max(0, slopes),
      shortcut?.groups ?? 0,
    ],
    invocations,
  };
}
