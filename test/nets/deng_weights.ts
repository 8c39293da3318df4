/** Drawn files of Deng et al.'s network in the real shapes: the trained ones are the user's to get. */
import golden from "../golden/resnet50.json" with { type: "json" };
import { drawnState } from "../golden/drawn.ts";
import { randomStream } from "../face/head.ts";
import type { Matrix } from "./files/matlab_writer.ts";

/** Vertices of the front of the Basel Face Model 2009. */
const VERTICES = 35_709;
const SIDE = 189;

/** The tensors of `epoch_20.pth`, whose codes are about as large as those of faces. */
export function drawnDengEncoder(): ReturnType<typeof drawnState> {
  const weights = drawnState(golden.deng.tensors);
  for (const [name, { shape, data }] of Object.entries(weights)) {
    // a drawn network's numbers are some 10⁴
    if (name.includes("final_layers")) weights[name] = { shape, data: data.map((value) => 1e-5 * value) };
  }
  return weights;
}

/** The matrices of `BFM_model_front.mat`: half an ellipsoid, about as large as a face. */
export function drawnBfmFront(): Record<string, Matrix> {
  const random = randomStream(5);
  const noise = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (random() - 0.5));
  const mean = new Float32Array(3 * VERTICES);
  for (let i = 0; i < VERTICES; i++) {
    const [s, t] = [2 * (i % SIDE) / (SIDE - 1) - 1, 1 - 2 * Math.floor(i / SIDE) / (SIDE - 1)];
    mean.set([0.75 * s, t, 0.7 * Math.cos(1.4 * Math.min(1, Math.hypot(s, t)))], 3 * i);
  }
  const triangles: number[] = [];
  const around = new Uint32Array(8 * VERTICES);
  const used = new Uint8Array(VERTICES);
  for (let a = 0; a + SIDE + 1 < VERTICES; a++) {
    if (a % SIDE === SIDE - 1) continue;
    for (const corners of [[a, a + SIDE, a + 1], [a + 1, a + SIDE, a + SIDE + 1]]) {
      triangles.push(...corners.map((vertex) => vertex + 1));
      for (const vertex of corners) {
        around[8 * vertex + used[vertex]!] = triangles.length / 3;
        used[vertex] = used[vertex]! + 1;
      }
    }
  }
  const none = triangles.length / 3 + 1;
  return {
    meanshape: { shape: [1, 3 * VERTICES], data: mean },
    idBase: { shape: [3 * VERTICES, 80], data: noise(240 * VERTICES, 0.01) },
    exBase: { shape: [3 * VERTICES, 64], data: noise(192 * VERTICES, 0.01) },
    meantex: { shape: [1, 3 * VERTICES], data: noise(3 * VERTICES, 60).map((value) => 150 + value) },
    texBase: { shape: [3 * VERTICES, 80], data: noise(240 * VERTICES, 4) },
    tri: { shape: [triangles.length / 3, 3], data: Uint32Array.from(triangles) },
    point_buf: { shape: [VERTICES, 8], data: around.map((triangle) => triangle === 0 ? none : triangle) },
  };
}

/** The matrix of `similarity_Lm3D_all.mat`: eyes, nose and mouth where a face has them, the rest at its middle. */
export function drawnStandardLandmarks(): Record<string, Matrix> {
  const data = new Float32Array(3 * 68);
  const places = { 36: [-0.4, 0.3, 0.4], 39: [-0.2, 0.3, 0.45], 42: [0.2, 0.3, 0.45], 45: [0.4, 0.3, 0.4] };
  for (const [i, place] of Object.entries(places)) data.set(place, 3 * Number(i));
  for (const [i, place] of [[30, [0, 0, 0.7]], [48, [-0.25, -0.35, 0.45]], [54, [0.25, -0.35, 0.45]]] as const) {
    data.set(place, 3 * i);
  }
  return { lm: { shape: [68, 3], data } };
}
