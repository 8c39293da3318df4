/**
 * A graph model of residual blocks, each a depthwise and a pointwise convolution, as a list of layers with places for
 * their values: what residual_network.ts runs. The converter left a block as five nodes and more: depthwise, pointwise
 * with bias, a shortcut (pooled where the block halves the picture, padded where it has more channels), their sum, and
 * a leaky relu with a slope for each channel.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { type GraphModelFiles, type GraphNode, readGraph } from "./graph_model.ts";

/** A picture of texels: [size, size, groups of four channels]. */
export interface Picture {
  readonly size: number;
  readonly groups: number;
}

/** A value and the place it is kept in. */
export interface Value extends Picture {
  readonly place: number;
}

/** A pass over pictures. Weights are first texels in the list of constants. */
export interface Layer {
  /**
   * `first`: 3×3, stride 2, of the input's three channels. `depthwise`: 3×3 of each channel. `pointwise`: 1×1, and in
   * `head` of all of a picture as if it were one pixel.
   */
  readonly kind: "first" | "depthwise" | "pointwise" | "head";
  readonly from: Value;
  readonly to: Value;
  readonly stride: number;
  readonly filter: number;
  /** Bias of each channel; a depthwise layer has none. */
  readonly bias: number;
  /** Slopes of the leaky relu below zero; −1: none. */
  readonly slopes: number;
  /** What is added before it, reduced by a maximum of 2×2 where it is twice as large. */
  readonly shortcut: Value | undefined;
}

/** A network as layers. */
export interface ResidualLayers {
  readonly layers: readonly Layer[];
  /** Four floats each. */
  readonly constants: Float32Array;
  /** How many places there are, apart from the heads' and the input's, which is place 0. */
  readonly places: number;
}

/**
 * Reads the layers that some heads need.
 *
 * @param options.heads nodes whose results are wanted; the layers end with them, in this order
 * @param options.size side of the input
 * @throws {TypeError} if the graph is no such network; and as `openGraphModel`
 */
export function readResidualLayers(
  tf: Tfjs,
  files: GraphModelFiles,
  { heads, size }: { heads: readonly string[]; size: number },
): ResidualLayers {
  const { nodes, weights } = readGraph(tf, files);
  try {
    return placed(collect(nodes, { weights, heads, size }));
  } finally {
    tf.dispose(Object.values(weights));
  }
}

/** A layer whose values have no places yet. */
type Unplaced = Omit<Layer, "from" | "to" | "shortcut"> & Record<"from" | "to", Picture> & { shortcut?: Picture };

interface Collected {
  readonly layers: readonly Unplaced[];
  readonly constants: Float32Array;
  readonly input: Picture;
}

function collect(
  nodes: readonly GraphNode[],
  { weights, heads, size }: { weights: tfjs.NamedTensorMap; heads: readonly string[]; size: number },
): Collected {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const made = new Map<string, Picture>();
  const layers: Unplaced[] = [];
  const constants: number[] = [];
  const input: Picture = { size, groups: 1 };

  function nodeOf(name: string | undefined): GraphNode {
    const node = byName.get(name ?? "");
    if (node === undefined) throw new TypeError(`Cannot open a residual network: there is no node ${name}`);
    return node;
  }
  /** The first texel of some weights, of `rows` rows that are filled up to whole texels. */
  function keep(name: string | undefined, rows: number): number {
    const tensor = weights[name ?? ""];
    if (tensor === undefined) throw new TypeError(`Cannot open a residual network: weight ${name} is absent`);
    const [first, values, columns] = [constants.length / 4, tensor.dataSync(), tensor.size / rows];
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < 4 * Math.ceil(columns / 4); c++) constants.push(c < columns ? values[row * columns + c]! : 0);
    }
    return first;
  }
  function add<Made extends Unplaced>(layer: Made): Picture {
    layers.push(layer);
    return layer.to;
  }
  const plain = { stride: 1, bias: -1, slopes: -1 };

  function depthwise(node: GraphNode): Picture {
    const stride = strideOf(node);
    if (paddingOf(node) !== "SAME" || stride > 2) wrong(node);
    const from = valueOf(node.input?.[0]);
    const to = { ...from, size: from.size / stride };
    return add({ ...plain, kind: "depthwise", from, to, stride, filter: keep(node.input?.[1], 9) });
  }
  /** A pointwise convolution with what follows it. */
  function pointwise(node: GraphNode, rest: { shortcut?: Picture; slopes?: number }): Picture {
    const { from: name, filter, bias, channels } = convolutionOf(node);
    const from = valueOf(name);
    const to = { size: from.size, groups: Math.ceil(channels / 4) };
    const weight = keep(filter, 4 * from.groups);
    return add({ ...plain, kind: "pointwise", from, to, filter: weight, bias: keep(bias, 1), ...rest });
  }
  function convolutionOf(node: GraphNode) {
    const [from, filter, bias, slopes] = node.input ?? [];
    const shape = weights[filter ?? ""]?.shape;
    if (node.op !== "_FusedConv2D" || shape === undefined || bias === undefined) return wrong(node);
    return { from, filter, bias, slopes, shape, channels: shape[3]! };
  }
  function valueOf(name: string | undefined): Picture {
    const known = made.get(name ?? "");
    if (known !== undefined) return known;
    const value = make(nodeOf(name));
    made.set(name!, value);
    return value;
  }
  function make(node: GraphNode): Picture {
    if (node.op === "Placeholder") return input;
    if (node.op === "DepthwiseConv2dNative") return depthwise(node);
    if (node.op === "_FusedConv2D") {
      const { from: name, filter, bias, slopes, shape } = convolutionOf(node);
      if (slopes === undefined) return wrong(node);
      if (shape[0] === 1) return pointwise(node, { slopes: keep(slopes, 1) });
      const from = valueOf(name);
      if (from !== input || shape[0] !== 3 || strideOf(node) !== 2 || paddingOf(node) !== "SAME") return wrong(node);
      const to = { size: size / 2, groups: shape[3]! / 4 };
      const layer = { stride: 2, filter: keep(filter, 27), bias: keep(bias, 1), slopes: keep(slopes, 1) };
      return add({ kind: "first", from, to, ...layer });
    }
    if (node.op !== "Prelu") return wrong(node);
    const sum = nodeOf(node.input?.[0]);
    const [first, second] = (sum.input ?? []).map(nodeOf);
    if (sum.op !== "AddV2" || second === undefined) return wrong(sum);
    return pointwise(second, { shortcut: shortcutOf(first!), slopes: keep(node.input?.[1], 1) });
  }
  /** What is added, before it is pooled and padded. */
  function shortcutOf(node: GraphNode): Picture {
    if (node.op === "Pad") return shortcutOf(nodeOf(node.input?.[0]));
    return valueOf(node.op === "MaxPool" ? node.input?.[0] : node.name);
  }

  for (const head of heads) {
    const node = nodeOf(head);
    const { from: name, filter, bias, shape, channels } = convolutionOf(node);
    const from = valueOf(name);
    if (shape[0] !== from.size || paddingOf(node) !== "VALID") wrong(node);
    const rows = 4 * from.groups * from.size ** 2;
    const to = { size: 1, groups: Math.ceil(channels / 4) };
    add({ ...plain, kind: "head", from, to, filter: keep(filter, rows), bias: keep(bias, 1) });
  }
  return { layers, constants: Float32Array.from(constants), input };
}

/** Gives each value a place; one that is read no more leaves its place to the next. */
function placed({ layers, constants, input }: Collected): ResidualLayers {
  const last = new Map<Picture, number>();
  for (const [i, { from, shortcut }] of layers.entries()) {
    last.set(from, i);
    if (shortcut !== undefined) last.set(shortcut, i);
  }
  const places = new Map<Picture, number>([[input, 0]]);
  const taken = [true];
  const valueOf = (picture: Picture): Value => ({ ...picture, place: places.get(picture)! });
  const result = layers.map((layer, i): Layer => {
    const { from, to, shortcut } = layer;
    if (layer.kind === "head") return { ...layer, from: valueOf(from), to: { ...to, place: -1 }, shortcut: undefined };
    const free = taken.indexOf(false);
    const place = free === -1 ? taken.length : free;
    taken[place] = true;
    places.set(to, place);
    const values = { from: valueOf(from), to: valueOf(to), shortcut: shortcut && valueOf(shortcut) };
    for (const [picture, end] of last) if (end === i) taken[places.get(picture)!] = false;
    return { ...layer, ...values };
  });
  return { layers: result, constants, places: taken.length };
}

function paddingOf({ attr }: GraphNode): string {
  const { s } = attr?.padding as { s?: string } ?? {};
  return atob(s ?? "");
}

function strideOf({ attr }: GraphNode): number {
  return Number((attr?.strides as { list: { i: string[] } }).list.i[1]);
}

function wrong({ name, op }: GraphNode): never {
  throw new TypeError(`Cannot open a residual network: ${name}, a ${op}, has no place in it`);
}
