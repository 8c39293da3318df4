/**
 * DECA's and FLAME's files in their real formats and shapes, of a made head: half an ellipsoid with a nose, whose chart
 * is cut along the middle of the face, a patch behind it that is no face, and an encoder whose last layer is but a
 * bias, so that every crop gets the same head in its middle. FLAME's own files are the user's to get.
 */
import { bytesSource } from "../../nets/files/source.ts";
import { FLAME_TRIANGLES } from "../../nets/flame_file.ts";
import { readFlameLandmarks } from "../../nets/flame_landmarks_file.ts";
import { encodePng } from "../../stages/faces/photograph.ts";
import { withPngComment } from "../../stages/faces/png_comment.ts";
import { cutHead } from "../face/cut_head.ts";
import { drawnState, drawnUniform } from "../golden/drawn.ts";
import golden from "../golden/resnet50.json" with { type: "json" };
import { goldenBytes } from "./files/golden.ts";
import { npzParts } from "./files/npy_writer.ts";
import { bytesOf, type Files } from "./files/parts.ts";
import { pickledArrays } from "./files/pickle_writer.ts";
import { oldTorchParts } from "./files/torch_writer.ts";

const [VERTICES, PLACES, COMPONENTS] = [5023, 5118, 400];
/** Columns and rows of the face. */
const N = 69;
/** Columns and rows of the patch that is no face. */
const PATCH = 16;
/** Bytes of the published mask of the face. */
const MASK_BYTES = 11_522;
/** Metres of a unit of the face's mesh: it is 0.2 m high. */
const UNIT = 0.1;

/** What the encoder says of every crop. */
export const MADE_CODE = {
  /** Of shape: the head is wider by a tenth. */
  shape: 1,
  /** Of expression: the lower half comes forward by 3 mm. */
  expression: 0.5,
  /** The head turns by so many radians to the image's right. */
  turn: 0.15,
  scale: 7.5,
  right: 0.004,
  up: -0.01,
  /** First band of the light: a shading of 0.8. */
  light: 0.8 / 0.2820948,
} as const;

/** Where each landmark lies that is looked for, in the face's columns and rows, −1..1; x to the image's right. */
const MARKS: Readonly<Record<number, readonly [number, number]>> = {
  36: [-0.5, -0.25],
  39: [-0.2, -0.25],
  42: [0.2, -0.25],
  45: [0.5, -0.25],
  27: [0, -0.2],
  30: [0, 0.12],
  31: [-0.12, 0.2],
  33: [0, 0.25],
  35: [0.12, 0.2],
  48: [-0.25, 0.5],
  54: [0.25, 0.5],
};

/** The head: 5,023 vertices and 9,976 triangles with 5,118 places in the chart. */
export async function madeHead() {
  const { mesh, model } = cutHead(N, { nose: 0.2 });
  const template = new Float32Array(3 * VERTICES);
  template.set(model.map((value) => UNIT * value));
  const [face, places] = [mesh.vertexCount, [...mesh.uvs]];
  const [faceTriangles, facePlaces] = [[...mesh.triangles], [...mesh.uvTriangles]];
  const patch: number[] = [];
  const patchPlaces: number[] = [];
  const firstPlace = places.length / 2;
  for (let i = 0; i < PATCH * PATCH; i++) {
    const [x, y] = [i % PATCH / PATCH, (i / PATCH | 0) / PATCH];
    template.set([0.1 * (x - 0.5), 0.1 * (0.5 - y), -0.05], 3 * (face + i));
    places.push(0.004 + 0.05 * x, 0.004 + 0.05 * y);
    if (x > 1 - 1.5 / PATCH || y > 1 - 1.5 / PATCH) continue;
    for (const corner of [i, i + PATCH, i + 1, i + 1, i + PATCH, i + PATCH + 1]) {
      patch.push(face + corner);
      patchPlaces.push(firstPlace + corner);
    }
  }
  // The counts of FLAME are kept by places that no triangle has, and by triangles that are there twice.
  while (places.length < 2 * PLACES) places.push(0.999, 0.999);
  for (let i = 0; faceTriangles.length + patch.length < 3 * FLAME_TRIANGLES; i++) {
    patch.push(patch[i]!);
    patchPlaces.push(patchPlaces[i]!);
  }
  const triangles = Uint32Array.from([...faceTriangles, ...patch]);
  const uvTriangles = Uint32Array.from([...facePlaces, ...patchPlaces]);
  // Triangles change places so that the drawn landmarks lie where a face has them.
  const source = bytesSource(goldenBytes("landmark_embedding.npy"));
  const { fixed } = await readFlameLandmarks(source, { triangles: FLAME_TRIANGLES });
  for (const [point, [x, y]] of Object.entries(MARKS)) {
    const [column, row] = [x, y].map((value) => Math.round((value + 1) / 2 * (N - 2))) as [number, number];
    const vertex = row * N + column;
    const has = (t: number) => [0, 1, 2].some((k) => triangles[3 * t + k] === vertex);
    const from = Array.from({ length: FLAME_TRIANGLES }, (_, t) => t).find(has)!;
    const to = fixed.triangles[Number(point)]!;
    for (const values of [triangles, uvTriangles]) {
      const [a, b] = [values.slice(3 * from, 3 * from + 3), values.slice(3 * to, 3 * to + 3)];
      values.set(a, 3 * to);
      values.set(b, 3 * from);
    }
  }
  return { template, triangles, uvs: Float32Array.from(places), uvTriangles };
}

/** The files by their places in the data folder. */
export async function madeDeca(): Promise<Files> {
  const head = await madeHead();
  const { template, triangles } = head;
  const size = template.length;
  const shapedirs = new Float64Array(size * COMPONENTS);
  for (let v = 0; v < VERTICES; v++) {
    const [x, y] = [template[3 * v]!, template[3 * v + 1]!];
    shapedirs[3 * v * COMPONENTS] = 0.1 * x;
    shapedirs[(3 * v + 2) * COMPONENTS + 300] = y < 0 ? 0.006 : 0;
  }
  const skinning = new Float64Array(5 * VERTICES).map((_, i) => i % 5 === 0 ? 1 : 0);
  const flame = {
    v_template: { shape: [VERTICES, 3], data: Float64Array.from(template) },
    shapedirs: { shape: [VERTICES, 3, COMPONENTS], data: shapedirs },
    posedirs: { shape: [VERTICES, 3, 36], data: new Float64Array(36 * size) },
    J_regressor: { shape: [5, VERTICES], data: new Float64Array(5 * VERTICES).fill(1 / VERTICES) },
    weights: { shape: [VERTICES, 5], data: skinning },
    f: { shape: [FLAME_TRIANGLES, 3], data: triangles },
    kintree_table: { shape: [2, 5], data: Uint32Array.of(2 ** 32 - 1, 0, 1, 1, 1, 0, 1, 2, 3, 4) },
  };
  return {
    "deca/deca_model.tar": oldTorchParts(madeEncoder()),
    "deca/landmark_embedding.npy": [goldenBytes("landmark_embedding.npy")],
    "deca/uv_face_eye_mask.png": [await madeMask()],
    "flame/generic_model.pkl": [pickledArrays(flame)],
    "flame/head_template.obj": [new TextEncoder().encode(objOf(head))],
  };
}

/**
 * `FLAME_albedo_from_BFM.npz`, 1.3 GB as its authors' script writes it: skin of one colour, and components that are
 * drawn for one row and the same in every other.
 */
export function madeFlameAlbedo(): Files {
  const [side, components] = [512, 199];
  const row = 3 * side;
  const mean = Float64Array.from({ length: row * side }, (_, i) => [0.4, 0.5, 0.7][i % 3]!);
  const drawn = drawnUniform("PC", row * components);
  const basis = bytesOf(drawn.map((value, i) => 0.1 * (value - 0.5) / (1 + i % components)));
  // DECA reads every second row
  const rows = Array.from({ length: side }, (_, y) => y % 2 === 0 ? basis : basis.length);
  const arrays = {
    MU: { shape: [row * side], data: [bytesOf(mean)] },
    PC: { shape: [row * side, components], data: rows },
  };
  return { "bfm/FLAME_albedo_from_BFM.npz": npzParts(arrays) };
}

/** DECA's state dictionary: drawn, but for the last layer. */
function madeEncoder() {
  const bias = new Float32Array(236);
  const { shape, expression, turn, scale, right, up, light } = MADE_CODE;
  bias[0] = shape;
  bias[150] = expression;
  bias[201] = turn;
  bias.set([scale, right, up, light, light, light], 206);
  return {
    ...drawnState(golden.deca.tensors),
    "E_flame.layers.2.weight": { shape: [236, 1024], data: new Float32Array(236 * 1024) },
    "E_flame.layers.2.bias": { shape: [236], data: bias },
    "E_detail.layers.2.weight": { shape: [128, 1024], data: new Float32Array(128 * 1024) },
  };
}

/** The face in the chart: a disc on both sides of the cut, without its outermost ring. */
async function madeMask(): Promise<Uint8Array> {
  const data = Float32Array.from({ length: 3 * 256 * 256 }, (_, i) => {
    const [u, v] = [((i / 3 | 0) % 256 + 0.5) / 256, ((i / 3 / 256 | 0) + 0.5) / 256];
    const x = u < 0.5 ? u / 0.9 - 0.5 : (u - 0.1) / 0.9 - 0.5;
    return Math.hypot(x / 0.47, (v - 0.5) / 0.45) < 0.95 ? 1 : 0;
  });
  // as large as the published file, below whose size a download has stopped halfway
  return withPngComment(await encodePng({ width: 256, height: 256, data }), "made".padEnd(MASK_BYTES));
}

function objOf({ template, triangles, uvs, uvTriangles }: Awaited<ReturnType<typeof madeHead>>): string {
  const lines: string[] = [];
  for (let i = 0; i < template.length; i += 3) lines.push(`v ${[...template.subarray(i, i + 3)].join(" ")}`);
  for (let i = 0; i < uvs.length; i += 2) lines.push(`vt ${uvs[i]} ${1 - uvs[i + 1]!}`);
  for (let i = 0; i < triangles.length; i += 3) {
    lines.push(`f ${[0, 1, 2].map((k) => `${triangles[i + k]! + 1}/${uvTriangles[i + k]! + 1}`).join(" ")}`);
  }
  return lines.join("\n");
}
