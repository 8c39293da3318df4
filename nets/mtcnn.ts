/**
 * MTCNN (Zhang, Zhang, Li, Qiao 2016) as facenet-pytorch runs it: three small networks, one after the other, find the
 * faces of a photograph and five points of each. It is what the paper removes photographs without faces with: FaceNet's
 * repository ships it beside FaceNet. The weights are facenet-pytorch's own `pnet.pt`, `rnet.pt`, `onet.pt` (MIT).
 */
import type * as tfjs from "@tensorflow/tfjs";
import { convolve } from "@ftim/gpu/ops/convolve";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import type { Point } from "../face/crop.ts";
import { joined } from "../face/joined.ts";
import type { Pixels } from "../face/pixels.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { areaBoxes, type PixelBox, uploadPhotograph } from "./area_boxes.ts";
import { openTensors, readFloats, type TensorFile } from "./files/open_tensors.ts";
import type { TensorSource } from "./files/source.ts";
import {
  type Candidate,
  candidatesOf,
  corrected,
  faceScore,
  fourOf,
  pixelsIn,
  pyramidScales,
  squareOf,
  withoutOverlaps,
} from "./mtcnn_boxes.ts";
import { type FoldedLayer, readLayer } from "./torch_convolution.ts";

/** The published settings. */
const MTCNN = {
  /** How sure each network must be. */
  thresholds: [0.6, 0.7, 0.7],
  /** From one scale of the photograph to the next. */
  factor: 0.709,
  /** The smallest face in pixels. */
  least: 20,
} as const;

/** Sides of what the second and the third network see. */
const SIDES = { second: 24, third: 48 } as const;
/** So many boxes at once: each takes 0.6 MB in the third network. */
const AT_ONCE = 64;

/** A face. */
export interface MtcnnFace {
  /** Left, top, right, bottom in pixels of the photograph; it may reach beyond it. */
  readonly box: Candidate["box"];
  /** 0..1 */
  readonly score: number;
  /** Eyes, nose, corners of the mouth, those on the left of the picture first. */
  readonly points: readonly Point[];
}

/** The weights. */
export interface MtcnnFiles {
  /** `pnet.pt` */
  readonly first: TensorSource;
  /** `rnet.pt` */
  readonly second: TensorSource;
  /** `onet.pt` */
  readonly third: TensorSource;
}

/** How to look. */
export interface MtcnnOptions {
  /** The smallest face in pixels. Default 20. */
  readonly least?: number;
}

/** The open networks. */
export interface Mtcnn {
  /**
   * The faces of a photograph, the largest box first.
   *
   * @throws {RangeError} if `least` is under 12 pixels, which is what the first network sees
   */
  detect(image: Pixels, options?: MtcnnOptions): Promise<MtcnnFace[]>;
  dispose(): void;
}

/**
 * Opens the networks.
 *
 * @throws {TensorFileError} if a file is damaged, of another network, or lacks a tensor
 */
export async function openMtcnn(files: MtcnnFiles): Promise<Mtcnn> {
  const tf = await openTfjs();
  const first = await openNetwork(tf, await openTensors(files.first), FIRST);
  const second = await openNetwork(tf, await openTensors(files.second), SECOND);
  const third = await openNetwork(tf, await openTensors(files.third), THIRD);
  return {
    async detect(image, { least = MTCNN.least } = {}) {
      if (!(least >= 12)) throw new RangeError(`MTCNN finds faces of 12 pixels and more, not of ${least}`);
      const photograph = uploadPhotograph(tf, image);
      const look = async (network: Network, boxes: readonly PixelBox[], side: number) => {
        const batches = Array.from({ length: Math.ceil(boxes.length / AT_ONCE) }, (_, i) => {
          const some = boxes.slice(AT_ONCE * i, AT_ONCE * (i + 1));
          return tf.tidy(() => network.apply(areaBoxes(tf, photograph, { boxes: some, width: side, height: side })));
        });
        return joined(await readBack(batches, "mtcnn"));
      };
      try {
        const proposed = await propose(tf, first, { image, least, photograph });
        const refined = await refine(proposed, { image, values: (boxes) => look(second, boxes, SIDES.second) });
        return await finish(refined, { image, values: (boxes) => look(third, boxes, SIDES.third) });
      } finally {
        photograph.pixels.dispose();
      }
    },
    dispose: () => [first, second, third].forEach((network) => network.dispose()),
  };
}

/** Squares that the first network proposes. */
async function propose(
  tf: Tfjs,
  network: Network,
  { image: { width, height }, least, photograph }: {
    image: Pixels;
    least: number;
    photograph: ReturnType<typeof uploadPhotograph>;
  },
): Promise<Pick<Candidate, "box">[]> {
  const whole = [{ left: 0, top: 0, width, height }];
  const scales = pyramidScales({ width, height }, { least, factor: MTCNN.factor });
  const maps = scales.map((scale) => {
    const size = { width: Math.trunc(width * scale + 1), height: Math.trunc(height * scale + 1) };
    return tf.tidy(() => network.apply(areaBoxes(tf, photograph, { boxes: whole, ...size })));
  });
  const columns = maps.map((map) => map.shape[2]!);
  const values = await readBack(maps, "mtcnn");
  const all = scales.flatMap((scale, i) => {
    const found = candidatesOf(values[i]!, { columns: columns[i]!, scale, threshold: MTCNN.thresholds[0] });
    return withoutOverlaps(found, { most: 0.5 });
  });
  return withoutOverlaps(all, { most: 0.7 }).map((one) => ({ box: squareOf(corrected(one, { inclusive: false })) }));
}

interface Looking {
  readonly image: Pixels;
  /** What the network says of some boxes, one after the other. */
  readonly values: (boxes: readonly PixelBox[]) => Promise<Float32Array>;
}

/** Boxes with pixels, and what the network says of each. */
async function lookAt(all: readonly Pick<Candidate, "box">[], { image, values }: Looking) {
  const seen = all.flatMap(({ box }) => {
    const pixels = pixelsIn(box, image);
    return pixels === null ? [] : [{ box, pixels }];
  });
  const said = await values(seen.map(({ pixels }) => pixels));
  const length = seen.length === 0 ? 0 : said.length / seen.length;
  return seen.map(({ box }, i) => {
    const own = said.subarray(i * length, (i + 1) * length);
    return { box, score: faceScore(own[0]!, own[1]!), correction: fourOf(own, 2), rest: own.subarray(6) };
  });
}

/** The squares that the second network leaves. */
async function refine(all: readonly Pick<Candidate, "box">[], looking: Looking): Promise<Pick<Candidate, "box">[]> {
  const found = (await lookAt(all, looking)).filter(({ score }) => score > MTCNN.thresholds[1]);
  return withoutOverlaps(found, { most: 0.7 }).map((one) => ({ box: squareOf(corrected(one, { inclusive: true })) }));
}

/** The faces that the third network leaves. */
async function finish(all: readonly Pick<Candidate, "box">[], looking: Looking): Promise<MtcnnFace[]> {
  const found = (await lookAt(all, looking)).filter(({ score }) => score > MTCNN.thresholds[2]).map((one) => {
    const { box: [left, top, right, bottom], score, rest } = one;
    const points = Array.from({ length: 5 }, (_, k) => ({
      x: (right - left + 1) * rest[k]! + left - 1,
      y: (bottom - top + 1) * rest[5 + k]! + top - 1,
    }));
    return { box: corrected(one, { inclusive: true }), score, points };
  });
  const area = ({ box: [left, top, right, bottom] }: MtcnnFace) => (right - left) * (bottom - top);
  return withoutOverlaps(found, { most: 0.7, of: "smaller" }).toSorted((a, b) => area(b) - area(a));
}

/** A layer: its name is a number of the file's. */
interface Layer {
  /** `[out, in, height, width]`; with `over`, of a linear layer over a picture of `over` × `over`. */
  readonly shape: readonly [number, number, number, number];
  readonly kind: "conv" | "dense";
  readonly number: string;
  /** Side of the maximum behind it, every second; where a last one does not fit whole, it is taken of what is there. */
  readonly pool?: 2 | 3;
}

/** Layers with rectifiers, and the heads, whose results are joined: logits, corrections, in the third one points. */
interface Plan {
  readonly layers: readonly Layer[];
  readonly heads: readonly Layer[];
}

const conv = (number: string, shape: Layer["shape"], pool?: 2 | 3): Layer => {
  return pool === undefined ? { kind: "conv", number, shape } : { kind: "conv", number, shape, pool };
};
const dense = (number: string, outputs: number, [inputs, side]: readonly [number, number]): Layer => {
  return { kind: "dense", number, shape: [outputs, inputs, side, side] };
};

const FIRST: Plan = {
  layers: [conv("1", [10, 3, 3, 3], 2), conv("2", [16, 10, 3, 3]), conv("3", [32, 16, 3, 3])],
  heads: [conv("4_1", [2, 32, 1, 1]), conv("4_2", [4, 32, 1, 1])],
};
const SECOND: Plan = {
  layers: [
    conv("1", [28, 3, 3, 3], 3),
    conv("2", [48, 28, 3, 3], 3),
    conv("3", [64, 48, 2, 2]),
    dense("4", 128, [64, 3]),
  ],
  heads: [dense("5_1", 2, [128, 1]), dense("5_2", 4, [128, 1])],
};
const THIRD: Plan = {
  layers: [
    conv("1", [32, 3, 3, 3], 3),
    conv("2", [64, 32, 3, 3], 3),
    conv("3", [64, 64, 3, 3], 2),
    conv("4", [128, 64, 2, 2]),
    dense("5", 256, [128, 3]),
  ],
  heads: [dense("6_1", 2, [256, 1]), dense("6_2", 4, [256, 1]), dense("6_3", 10, [256, 1])],
};

interface Network {
  /** @param x `[B, H, W, 3]`, 0..1 */
  apply(x: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

type OpenLayer = FoldedLayer & { readonly slopes: tfjs.Tensor4D; readonly pool: 2 | 3 | undefined };

async function openNetwork(tf: Tfjs, file: TensorFile, { layers, heads }: Plan): Promise<Network> {
  const open: OpenLayer[] = [];
  for (const layer of layers) {
    const slopes = await readFloats(file, { name: `prelu${layer.number}.weight`, shape: [layer.shape[0]] });
    open.push({
      ...await openLayer(tf, file, layer),
      slopes: tf.tensor4d(slopes, [1, 1, 1, layer.shape[0]]),
      pool: layer.pool,
    });
  }
  const ends: FoldedLayer[] = [];
  for (const head of heads) ends.push(await openLayer(tf, file, head));
  const last = tf.tidy(() => ({
    filter: tf.concat(ends.map(({ filter }) => filter), 3),
    bias: tf.concat(ends.map(({ bias }) => bias)),
  }));
  for (const { filter, bias } of ends) tf.dispose([filter, bias]);
  return {
    apply: (x) =>
      tf.tidy(() => {
        // 0..255 less 127.5, over 128
        let out = tf.mul(tf.sub(x, 0.5), 255 / 128) as tfjs.Tensor4D;
        for (const { filter, bias, slopes, pool } of open) {
          out = tf.prelu(convolve(tf, out, { filter, bias, pad: "valid" }), slopes);
          if (pool !== undefined) out = pooled(tf, out, pool);
        }
        return convolve(tf, out, { ...last, pad: "valid" });
      }),
    dispose() {
      for (const { filter, bias, slopes } of open) tf.dispose([filter, bias, slopes]);
      tf.dispose([last.filter, last.bias]);
    },
  };
}

async function openLayer(tf: Tfjs, file: TensorFile, { kind, number, shape }: Layer) {
  const [outputs, inputs, side] = shape;
  if (kind === "conv") return await readLayer(tf, file, { name: `conv${number}`, shape, bias: true });
  const flat = [outputs, inputs * side * side] as const;
  const { filter, bias } = await readLayer(tf, file, { name: `dense${number}`, shape: flat, bias: true });
  // the inputs lie column by column, then row by row, channels closest
  const turned = tf.tidy(() =>
    tf.transpose(tf.reshape(filter, [side, side, inputs, outputs]), [1, 0, 2, 3])
  ) as tfjs.Tensor4D;
  filter.dispose();
  return { filter: turned, bias };
}

/** A maximum over `size` × `size`, every second, whose last one may be over fewer pixels. */
function pooled(tf: Tfjs, x: tfjs.Tensor4D, size: 2 | 3): tfjs.Tensor4D {
  const [, height, width] = x.shape;
  const missing = (side: number) => (side - size) % 2;
  const padded = missing(height) + missing(width) === 0
    ? x
    : tf.pad(x, [[0, 0], [0, missing(height)], [0, missing(width)], [0, 0]], -1e30) as tfjs.Tensor4D;
  return tf.maxPool(padded, size, 2, "valid");
}
