/**
 * The files of the comparators' authors in their real formats and shapes, with drawn weights, by their places in the
 * data folder; DECA's are in made_deca.ts. The real ones are the user's to get.
 */
import { encodePng } from "../../stages/faces/photograph.ts";
import chen from "../golden/chen.json" with { type: "json" };
import { drawnChenModel, drawnChenPlaces } from "../golden/chen_drawn.ts";
import { drawnCheckpoint, drawnState, type DrawnTensor, drawnTensorflow } from "../golden/drawn.ts";
import facenet from "../golden/facenet.json" with { type: "json" };
import tran from "../golden/tran.json" with { type: "json" };
import { tranFiles } from "../golden/tran_drawn.ts";
import { drawnBfmFront, drawnDengEncoder, drawnStandardLandmarks } from "./deng_weights.ts";
import { checkpointParts } from "./files/checkpoint_writer.ts";
import { matlabParts } from "./files/matlab_writer.ts";
import { npyOf, npzParts } from "./files/npy_writer.ts";
import { bytesOf, type Files, sizeOf } from "./files/parts.ts";
import { oldTorchParts } from "./files/torch_writer.ts";
import { drawnVgg19 } from "./vgg19_weights.ts";

/** Rows and columns of vertices that make 53,215, as many as Chen's and Tran's meshes have. */
const GRID = [145, 367] as const;
/** Drawn heads of Chen's give some 10³, at which no face can be posed; multiplied by this they give some 0.1. */
const SMALL = 2 ** -13;
/** Values that are drawn of one variable. */
const LARGE = 2 ** 18;
/** Bytes of facenet-pytorch's file. */
const FACENET_BYTES = 111_898_327;
/** Bytes of torchvision's file. */
const VGG19_BYTES = 574_673_361;

/** `vgg19-dcbb9e9d.pth` with all of VGG-19, of which what lies behind relu4_2 is zeros. */
export function madeVgg19(): Files {
  const convolutions = [[23, 512], [25, 512], [28, 512], [30, 512], [32, 512], [34, 512]] as const;
  const dense = [[0, 4096, 25_088], [3, 4096, 4096], [6, 1000, 4096]] as const;
  const zeros = (shape: readonly number[]) => ({ shape, data: null });
  const parts = oldTorchParts({
    ...drawnVgg19(),
    ...Object.fromEntries(convolutions.flatMap(([number, width]) => [
      [`features.${number}.weight`, zeros([width, width, 3, 3])],
      [`features.${number}.bias`, zeros([width])],
    ])),
    ...Object.fromEntries(dense.flatMap(([number, outputs, inputs]) => [
      [`classifier.${number}.weight`, zeros([outputs, inputs])],
      [`classifier.${number}.bias`, zeros([outputs])],
    ])),
  });
  // a file that is shorter than torchvision's counts as one whose download stopped
  return { "vgg19/vgg19-dcbb9e9d.pth": [...parts, Math.max(0, VGG19_BYTES - sizeOf(parts))] };
}

/** `20180402-114759-vggface2.pt`. */
export function madeFacenet(): Files {
  const parts = oldTorchParts({
    ...drawnState(facenet.tensors),
    "logits.weight": { shape: [8631, 512], data: null },
    "logits.bias": { shape: [8631], data: null },
  });
  return { "facenet/20180402-114759-vggface2.pt": [...parts, Math.max(0, FACENET_BYTES - sizeOf(parts))] };
}

/** Deng's files. */
export function madeDeng(): Files {
  return {
    "deng/epoch_20.pth": oldTorchParts(drawnDengEncoder()),
    "deng/BFM_model_front.mat": matlabParts(drawnBfmFront()),
    "deng/similarity_Lm3D_all.mat": matlabParts(drawnStandardLandmarks()),
  };
}

/** Tran's drawn weights, with a camera near the authors' mean and white light from everywhere: others draw black. */
export function tranWeights(): Record<string, DrawnTensor> {
  const weights = drawnCheckpoint(tran.parts.tensors);
  for (const [name, { data }] of Object.entries(weights)) {
    if (name.startsWith("g_k6_")) data.forEach((value, i) => data[i] = 1e-4 * value);
  }
  const light = weights["g_k6_il_lin/bias"]!.data;
  for (const colour of [0, 1, 2]) light[9 * colour] = 1;
  return weights;
}

/** Tran's files. */
export function madeTran(): Files {
  const weights = tranWeights();
  const definition = [...tranFiles(GRID)].map(([name, bytes]) => [`tran/3DMM_definition/${name}`, [bytes]]);
  return { ...checkpointFiles("tran/checkpoint/Nonlinear3DMM.model-20", weights), ...Object.fromEntries(definition) };
}

/** Chen's files. */
export async function madeChen(): Promise<Files> {
  const coarse = repeatedCheckpoint(chen.coarse.tensors);
  for (const [name, { data }] of Object.entries(coarse)) {
    if (name.startsWith("CoarseModel/decoder/")) data.forEach((value, i) => data[i] = SMALL * value);
  }
  const [size, count] = [512, GRID[0] * GRID[1]];
  const face = new Float32Array(3 * size ** 2);
  for (let row = 110; row < 410; row++) face.fill(1, 3 * (size * row + 100), 3 * (size * row + 410));
  const all = [npyOf(new Float64Array(count).fill(1))];
  // the authors take 80 of 199 components
  const basis = (scale: number) => ({
    shape: [3 * count, 199] as const,
    data: new Float32Array(240 * count).map((_, i) => i % 997 * scale / 997 - scale / 2),
  });
  return {
    ...checkpointFiles("chen/ckpts/ckpt_coarse/coarse-131000", coarse),
    ...checkpointFiles("chen/ckpts/ckpt_fine/fine-92000", repeatedCheckpoint(chen.fine.tensors)),
    "chen/resources/BFM2009_Model.mat": matlabParts({
      ...drawnChenModel(GRID, 0),
      bases_shape: basis(0.1),
      bases_tex: basis(6),
    }),
    "chen/resources/vertex_uv_ind.npz": npzParts({
      uv_ind: { shape: [count, 2], data: [bytesOf(Float64Array.from(drawnChenPlaces(GRID)))] },
    }),
    "chen/resources/wo_eyebrow_mask.npy": all,
    "chen/resources/wo_nose_mask.npy": all,
    "chen/resources/face_mask.png": [await encodePng({ width: size, height: size, data: face })],
  };
}

/**
 * Variables of which large ones are a drawn part many times over, which takes less time and memory than to draw all.
 * Equal terms add up to their number and drawn ones to its root, so a part is divided by the number.
 */
function repeatedCheckpoint(shapes: Readonly<Record<string, readonly number[]>>): Record<string, DrawnTensor> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const [height = 1, width = 1, inputs = 1, outputs = 1] = shape;
      if (shape.length < 4 || height * width * inputs * outputs <= LARGE) {
        return [name, drawnTensorflow(name, shape)];
      }
      const part = [1, 1, Math.min(inputs, LARGE / outputs), outputs];
      const { data } = drawnTensorflow(name, part);
      const times = height * width * inputs / part[2]!;
      return [name, { shape, data: data.map((value) => value / times) }];
    }),
  );
}

function checkpointFiles(path: string, tensors: Parameters<typeof checkpointParts>[0]): Files {
  const { index, values } = checkpointParts(tensors);
  return { [`${path}.index`]: [index], [`${path}.data-00000-of-00001`]: values };
}
