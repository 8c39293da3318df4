/**
 * A part of a graph model that is one chain of convolutions (a MobileNet), with scale, bias and clipping folded into
 * each: one pass a layer, where the converter left up to six.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { type GraphModelFiles, type GraphNode, readGraph } from "./graph_model.ts";

/** An open chain. */
export interface ConvolutionChain {
  /** Differentiable. `[B, H, W, C]` → `[B, h, w, N]` */
  apply(x: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

// A type and no interface, so that `tf.tidy` takes it.
type Layer = {
  depthwise: boolean;
  filter: tfjs.Tensor4D;
  bias: tfjs.Tensor1D;
  strides: [number, number];
  relu6: boolean;
};

/**
 * Opens the chain from the model's input to the input of a node.
 *
 * @param options `before`: name of the node that takes the chain's result
 * @throws {TypeError} if the nodes between are no such chain; and as `openGraphModel`
 */
export function openConvolutionChain(
  tf: Tfjs,
  files: GraphModelFiles,
  { before }: { before: string },
): ConvolutionChain {
  const { nodes, weights } = readGraph(tf, files);
  try {
    const groups = chainOf(nodes, before);
    const layers = tf.tidy(() => groups.map((group) => layerOf(tf, group, weights)));
    return {
      apply: (x) => tf.tidy(() => layers.reduce((value, layer) => convolve(tf, value, layer), x)),
      dispose: () => tf.dispose(layers.flatMap(({ filter, bias }) => [filter, bias])),
    };
  } finally {
    tf.dispose(Object.values(weights));
  }
}

function convolve(tf: Tfjs, x: tfjs.Tensor4D, { depthwise, filter, bias, strides, relu6 }: Layer): tfjs.Tensor4D {
  const op = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
  return op({ x, filter, bias, strides, pad: "same", activation: relu6 ? "relu6" : "linear" }) as tfjs.Tensor4D;
}

/** The nodes from the input on, each convolution with what follows it. */
function chainOf(nodes: readonly GraphNode[], before: string): GraphNode[][] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const groups: GraphNode[][] = [];
  let group: GraphNode[] = [];
  for (let name = byName.get(before)?.input?.[0];;) {
    const node = byName.get(name ?? "");
    if (node === undefined) {
      throw new TypeError(`Cannot open a chain of convolutions: there is no node ${name ?? before}`);
    }
    if (node.op === "Placeholder") break;
    group.unshift(node);
    if (node.op === "Conv2D" || node.op === "DepthwiseConv2dNative") {
      groups.unshift(group);
      group = [];
    }
    name = node.input?.[0];
  }
  if (group.length > 0) throw new TypeError(`Cannot open a chain of convolutions: it begins with ${group[0]!.op}`);
  return groups;
}

function layerOf(tf: Tfjs, [node, ...rest]: readonly GraphNode[], weights: tfjs.NamedTensorMap): Layer {
  const { name, op, input, attr } = node!;
  const weight = (of: GraphNode) => weights[of.input?.[1] ?? ""] ?? wrong(`${of.name} takes no weight`);
  if (!isSame(attr)) wrong(`${name} is not padded "same"`);
  const ops = rest.map((follower) => follower.op).join(" ");
  const found = /^(Mul )?Add( Relu Minimum Maximum)?$/.exec(ops) ?? wrong(`${name} is followed by ${ops || "nothing"}`);
  const scale = found[1] === undefined ? undefined : rest[0]!;
  const depthwise = op !== "Conv2D";
  if (found[2] !== undefined) {
    const [least, most] = [weight(rest.at(-1)!), weight(rest.at(-2)!)].map((limit) => limit.dataSync()[0]);
    if (least !== 0 || most !== 6) wrong(`${name} is clipped to ${least}..${most} and not to 0..6`);
  }
  const filter = weights[input?.[1] ?? ""] as tfjs.Tensor4D;
  return {
    depthwise,
    filter: tf.tidy(() => {
      if (scale === undefined) return tf.clone(filter);
      // a depthwise filter is [h, w, C, 1]
      return tf.mul(filter, depthwise ? tf.reshape(weight(scale), [1, 1, -1, 1]) : weight(scale)) as tfjs.Tensor4D;
    }),
    bias: tf.clone(weight(rest[scale === undefined ? 0 : 1]!)) as tfjs.Tensor1D,
    strides: stridesOf(attr),
    relu6: found[2] !== undefined,
  };
}

function isSame(attr: GraphNode["attr"]): boolean {
  const { s } = attr?.padding as { s?: string } ?? {};
  return s !== undefined && atob(s) === "SAME";
}

function stridesOf(attr: GraphNode["attr"]): [number, number] {
  const { list } = attr?.strides as { list: { i: string[] } };
  return [Number(list.i[1]), Number(list.i[2])];
}

function wrong(why: string): never {
  throw new TypeError(`Cannot open a chain of convolutions: ${why}`);
}
