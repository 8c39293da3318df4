/**
 * The decoders of Tran et al. (tranluan/Nonlinear_Face_3DMM): a code becomes a map of 192×224 by transposed
 * convolutions, without anything of the photograph beside it. Two forms are published. That of
 * `model_non_linear_3DMM.py` (TPAMI 2019) makes the whole map at once. That of `model_non_linear_3DMM_proxy.py`
 * (CVPR 2019, with `is_partbase_albedo`) makes eyes, nose and mouth apart, lays them beside a map of the whole, and
 * ends twice: once for a smooth proxy that trains the network, which is left out here, and once for the result.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import type { TensorFile } from "./files/open_tensors.ts";
import {
  type Activation,
  convolution,
  readDense,
  readTransposed,
  transposedConvolution,
  type TransposedLayer,
} from "./tensorflow_layers.ts";
import type { FoldedLayer } from "./torch_convolution.ts";

/** Height and width of the maps in texels. */
export const TRAN_MAP = { height: 192, width: 224 } as const;

/** An open decoder. */
export interface TranDecoder {
  /**
   * @param code `[B, 1, 1, C]`
   * @returns `[B, 192, 224, 3]` before the last tanh
   */
  decode(code: tfjs.Tensor4D): tfjs.Tensor4D;
  dispose(): void;
}

/** A transposed convolution: its number, which is in its names, and its stride. */
type Step = readonly [number: string, stride: 1 | 2];

/** From 1/32 of the map to all of it. */
const STEPS: readonly Step[] = [
  ["4", 2],
  ["40", 1],
  ["32", 2],
  ["31", 1],
  ["30", 1],
  ["22", 2],
  ["21", 1],
  ["20", 1],
  ["12", 2],
  ["11", 1],
  ["10", 1],
  ["02", 2],
  ["01", 1],
];
const SHRINK = 32;
/** A part begins at 1/8 of its size, and at this step. */
const [PART_SHRINK, PART_STEPS] = [8, STEPS.slice(3)];

/** Where a part lies in the map: first row and column, height and width. */
const PLACES = {
  leye: [38, 116, 40, 48],
  reye: [38, 60, 40, 48],
  nose: [46, 88, 56, 48],
  mouth: [96, 63, 64, 96],
} as const;
type PartName = keyof typeof PLACES;

/** Which decoder of a checkpoint. */
export interface DecoderNames {
  /** The letter in its names: `s` or `l` of the shape, `h` of the albedo. */
  readonly letter: "s" | "l" | "h";
  /** Length of the code. */
  readonly inputs: number;
  /** Whether the mouth, the eyes and, where there is one, the nose are made apart. */
  readonly parts: boolean;
}

/**
 * Reads a decoder.
 *
 * @throws {TensorFileError} if a tensor is absent or has another shape
 */
export async function openTranDecoder(
  tf: Tfjs,
  file: TensorFile,
  { letter, inputs, parts }: DecoderNames,
): Promise<TranDecoder> {
  const { height, width } = TRAN_MAP;
  const activation = parts ? "relu" : "elu";
  const reader = { letter, inputs, activation } as const;
  const whole = await readTower(tf, file, {
    ...reader,
    scope: "",
    first: "5",
    steps: STEPS,
    cells: [height / SHRINK, width / SHRINK],
  });
  const names = (Object.keys(PLACES) as PartName[]).filter((name) =>
    parts && (name !== "nose" || file.tensors.has(`nose/g_${letter}4_lin/Matrix`))
  );
  const towers = new Map<PartName, Tower>();
  for (const name of names) {
    const [, , rows, columns] = PLACES[name];
    const cells = [rows / PART_SHRINK, columns / PART_SHRINK] as const;
    towers.set(name, await readTower(tf, file, { ...reader, scope: `${name}/`, first: "4", steps: PART_STEPS, cells }));
  }
  const end = parts ? "_res" : "";
  const joined = whole.channels + (towers.get("mouth")?.channels ?? 0);
  const before = parts
    ? await readStep(tf, file, {
      name: `g_${letter}00${end}`,
      norm: `g_${letter}_bn0_0${end}`,
      inputs: joined,
      stride: 1,
    })
    : null;
  const last = await readTransposed(tf, file, {
    ...named(`g_${letter}0${end}`),
    inputs: before?.bias.size ?? joined,
    stride: 1,
  });

  const made = (name: PartName, code: tfjs.Tensor4D) => {
    const [top, left, rows, columns] = PLACES[name];
    const map = runTower(tf, code, towers.get(name)!);
    return tf.pad(map, [[0, 0], [top, height - top - rows], [left, width - left - columns], [0, 0]]);
  };
  return {
    decode: (code) =>
      tf.tidy(() => {
        let map = runTower(tf, code, whole);
        if (before !== null) {
          const [eyes, mouth] = [tf.add(made("leye", code), made("reye", code)), made("mouth", code)];
          const local = tf.add(eyes, mouth);
          const all = towers.has("nose") ? tf.maximum(local, made("nose", code)) : local;
          map = transposedConvolution(tf, tf.concat([all, map], 3) as tfjs.Tensor4D, { ...before, activation });
        }
        return transposedConvolution(tf, map, { ...last, activation: "linear" });
      }),
    dispose() {
      for (const tower of [whole, ...towers.values()]) disposeTower(tf, tower);
      for (const layer of [before, last]) if (layer !== null) tf.dispose([layer.filter, layer.bias]);
    },
  };
}

/** A dense layer and what makes a map of its result. */
interface Tower {
  readonly dense: FoldedLayer;
  readonly cells: readonly [number, number];
  readonly steps: readonly TransposedLayer[];
  readonly activation: Activation;
  /** Of the map. */
  readonly channels: number;
}

interface TowerNames extends Omit<DecoderNames, "parts"> {
  readonly activation: Activation;
  /** In front of all names, and in front of its norms' names once more. */
  readonly scope: string;
  /** Number of the dense layer. */
  readonly first: string;
  readonly steps: readonly Step[];
  readonly cells: readonly [number, number];
}

async function readTower(tf: Tfjs, file: TensorFile, names: TowerNames): Promise<Tower> {
  const { letter, inputs, activation, scope, first, cells } = names;
  const dense = await readDense(tf, file, {
    filter: `${scope}g_${letter}${first}_lin/Matrix`,
    bias: `${scope}g_${letter}${first}_lin/bias`,
    norm: `${scope}${scope}g_${letter}_bn${first}`,
    inputs,
    cells: cells[0] * cells[1],
  });
  let channels = dense.bias.size / (cells[0] * cells[1]);
  const steps: TransposedLayer[] = [];
  for (const [number, stride] of names.steps) {
    const norm = `${scope}${scope}g_${letter}_bn${[...number].join("_")}`;
    const layer = await readStep(tf, file, { name: `${scope}g_${letter}${number}`, norm, inputs: channels, stride });
    steps.push(layer);
    channels = layer.bias.size;
  }
  return { dense, cells, steps, activation, channels };
}

function readStep(
  tf: Tfjs,
  file: TensorFile,
  { name, ...rest }: { name: string; norm: string; inputs: number; stride: 1 | 2 },
): Promise<TransposedLayer> {
  return readTransposed(tf, file, { ...named(name), ...rest });
}

function named(name: string): { filter: string; bias: string } {
  return { filter: `${name}/kernel`, bias: `${name}/bias` };
}

function runTower(tf: Tfjs, code: tfjs.Tensor4D, { dense, cells, steps, activation }: Tower): tfjs.Tensor4D {
  return tf.tidy(() => {
    const start = convolution(tf, code, { ...dense, activation });
    let map: tfjs.Tensor4D = tf.reshape(start, [code.shape[0], ...cells, -1]);
    for (const step of steps) {
      const before = map;
      map = transposedConvolution(tf, before, { ...step, activation });
      before.dispose();
    }
    return map;
  });
}

function disposeTower(tf: Tfjs, { dense, steps }: Tower): void {
  for (const { filter, bias } of [dense, ...steps]) tf.dispose([filter, bias]);
}
