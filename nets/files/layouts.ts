/**
 * Which network or face model a file holds, by the names and shapes of its tensors: those of the paper, and those that
 * are mistaken for them. Each is known by a few tensors that no other has so. The shapes are those of the authors'
 * code.
 */
import type { TensorFile } from "./open_tensors.ts";
import { TensorFileError } from "./source.ts";
import { countOf } from "./values.ts";

/** A shape; how many values there are, where releases differ in the shape alone; null where any will do. */
type Expected = readonly number[] | number | null;

/** What a file of one kind holds. */
export interface Layout {
  /** For example `FLAME (2020 or 2023)`. */
  readonly title: string;
  readonly tensors: Readonly<Record<string, Expected>>;
  /** A tensor that another kind has, and this one has not. */
  readonly without?: string;
}

const FACE = 3 * 53_149;
const FACE_2009 = 3 * 53_490;
const FRONT = 3 * 35_709;
const INCEPTION = { "conv2d_1a.conv.weight": [32, 3, 3, 3], "last_linear.weight": [512, 1792] };

/** All kinds that are known. */
export const LAYOUTS = {
  vgg19: {
    title: "VGG-19 of torchvision",
    tensors: {
      "features.0.weight": [64, 3, 3, 3],
      "features.10.weight": [256, 128, 3, 3],
      "features.16.weight": [256, 256, 3, 3],
      "features.19.weight": [512, 256, 3, 3],
      "features.21.weight": [512, 512, 3, 3],
    },
    without: "features.1.running_mean",
  },
  vgg19WithNorm: {
    title: "VGG-19 with batch normalisation (vgg19_bn)",
    tensors: {
      "features.1.running_mean": [64],
      "features.36.weight": [512, 512, 3, 3],
      "features.49.weight": [512, 512, 3, 3],
    },
  },
  vgg16: {
    title: "VGG-16",
    tensors: { "features.14.weight": [256, 256, 3, 3], "features.17.weight": [512, 256, 3, 3] },
  },
  resnet50: {
    title: "ResNet-50 of torchvision",
    tensors: { "conv1.weight": [64, 3, 7, 7], "layer3.5.conv3.weight": [1024, 256, 1, 1], "fc.weight": [1000, 2048] },
  },
  deca: {
    title: "DECA",
    tensors: {
      "E_flame.encoder.conv1.weight": [64, 3, 7, 7],
      "E_flame.layers.0.weight": [1024, 2048],
      "E_flame.layers.2.weight": [236, 1024],
      "E_detail.layers.2.weight": [128, 1024],
    },
  },
  deng: {
    title: "Deep3DFaceRecon",
    tensors: {
      "net_recon.backbone.conv1.weight": [64, 3, 7, 7],
      "net_recon.final_layers.0.weight": [80, 2048, 1, 1],
      "net_recon.final_layers.4.weight": [27, 2048, 1, 1],
      "net_recon.final_layers.6.weight": [1, 2048, 1, 1],
    },
  },
  facenet: {
    title: "FaceNet (InceptionResnetV1), trained on VGGFace2",
    tensors: { ...INCEPTION, "logits.weight": [8631, 512] },
  },
  facenetCasia: {
    title: "FaceNet (InceptionResnetV1), trained on CASIA-WebFace",
    tensors: { ...INCEPTION, "logits.weight": [10_575, 512] },
  },
  tran: {
    title: "the networks of Tran et al.",
    tensors: { "g_k01_conv/w": [7, 7, 3, 32], "g_k6_m_lin/bias": [8], "g_k6_il_lin/bias": [27] },
  },
  chenCoarse: {
    title: "the coarse network of Chen et al.",
    tensors: {
      "CoarseModel/VGGFace/conv1_1_weight": [3, 3, 3, 64],
      "CoarseModel/VGGFace/fc7_weight": [1, 1, 4096, 4096],
      "CoarseModel/decoder/para_pose/kernel": [4096, 6],
      "CoarseModel/decoder/para_illum/kernel": [4096, 27],
    },
  },
  chenFine: {
    title: "the detail network of Chen et al.",
    tensors: { "FineModel/conv2d/kernel": [3, 3, 3, 16], "FineModel/conv2d_transpose_9/kernel": [3, 3, 1, 16] },
  },
  chenModel: {
    title: "the Basel Face Model 2009 with expressions of Chen et al.",
    tensors: { mu_shape: null, mu_exp: null, bases_exp: null, sigma_tex: null, mask_face: null },
  },
  flame: {
    title: "FLAME",
    tensors: {
      v_template: [5023, 3],
      shapedirs: [5023, 3, 400],
      posedirs: [5023, 3, 36],
      J_regressor: [5, 5023],
      weights: [5023, 5],
      f: [9976, 3],
    },
  },
  smpl: { title: "SMPL, a body model", tensors: { v_template: [6890, 3] } },
  smplx: { title: "SMPL-X, a body model", tensors: { v_template: [10_475, 3] } },
  flameAlbedo: {
    title: "the albedo basis of FLAME that is made of the Basel Face Model",
    tensors: { MU: 512 * 512 * 3, PC: 512 * 512 * 3 * 199 },
  },
  flameTexture: {
    title: "FLAME's texture space, made of photographs",
    tensors: { mean: 512 * 512 * 3, tex_dir: 512 * 512 * 3 * 200 },
  },
  bfm2017: {
    title: "the Basel Face Model 2017 without mouth",
    tensors: { "shape/model/mean": FACE, "shape/model/pcaBasis": [FACE, 199], "color/model/mean": FACE },
  },
  bfm2009: {
    title: "the Basel Face Model 2009",
    tensors: { shapePC: [FACE_2009, 199], texPC: [FACE_2009, 199], shapeMU: FACE_2009 },
  },
  standardLandmarks: {
    title: "the landmarks of Deep3DFaceRecon's standard face",
    tensors: { lm: [68, 3] },
  },
  bfmFront: {
    title: "the front of the Basel Face Model 2009 that Deep3DFaceRecon makes",
    tensors: { meanshape: FRONT, idBase: [FRONT, 80], exBase: [FRONT, 64], texBase: [FRONT, 80] },
  },
} as const satisfies Readonly<Record<string, Layout>>;

/** A kind that is known. */
export type LayoutName = keyof typeof LAYOUTS;

/** What a file holds, or null where it is none of the known kinds. */
function recognise(file: TensorFile): LayoutName | null {
  const names = Object.keys(LAYOUTS) as LayoutName[];
  return names.find((name) => missing(file, name) === null) ?? null;
}

/** The first difference between a file and what it must hold, or null. */
export function missing(file: TensorFile, layout: LayoutName): string | null {
  const { tensors, without }: Layout = LAYOUTS[layout];
  if (without !== undefined && file.tensors.has(without)) return `it has "${without}"`;
  for (const [name, expected] of Object.entries(tensors)) {
    const found = file.tensors.get(name);
    if (found === undefined) return `"${name}" is absent`;
    if (expected === null) continue;
    const fits = typeof expected === "number"
      ? countOf(found.shape) === expected
      : String(found.shape) === String(expected);
    if (fits) continue;
    const wanted = typeof expected === "number" ? `of ${expected} values` : `[${expected}]`;
    return `"${name}" is [${found.shape}] and must be ${wanted}`;
  }
  return null;
}

/** What a file holds, for messages. */
export function inWords(file: TensorFile): string {
  const found = recognise(file);
  if (found !== null) return LAYOUTS[found].title;
  if (file.tensors.has("shape/model/pcaBasis")) return "a Basel Face Model of another size (of 2019, or cropped)";
  const some = [...file.tensors.keys()].slice(0, 3).map((name) => `"${name}"`).join(", ");
  return `a ${file.format} of ${file.tensors.size} tensors (${some}${file.tensors.size > 3 ? ", …" : ""})`;
}

/**
 * Checks that a file holds what is expected.
 *
 * @throws {TensorFileError} naming what it holds instead, and the first difference
 */
export function requireLayout(file: TensorFile, layout: LayoutName): void {
  const difference = missing(file, layout);
  if (difference === null) return;
  throw new TensorFileError(
    `${file.name} must hold ${LAYOUTS[layout].title}, and ${difference}. It holds ${inWords(file)}`,
  );
}
