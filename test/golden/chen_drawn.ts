/** A drawn model in the form of the authors' `BFM2009_Model.mat`, value for value that of test/golden/chen_faces.py. */
import { drawnUniform } from "./drawn.ts";
import { spread } from "./tran_drawn.ts";

const [ROWS, COLUMNS] = [20, 25];
/** Vertices of the model. */
export const CHEN_VERTICES = ROWS * COLUMNS;

/** The chart: where the vertices lie, the part of it that is a detailed mesh, and how far its vertices move. */
export function drawnChenChart() {
  const places = new Float32Array(2 * CHEN_VERTICES);
  for (let v = 0; v < CHEN_VERTICES; v++) {
    const [r, c] = [Math.floor(v / COLUMNS), v % COLUMNS];
    places.set([60 + Math.floor(r * 400 / (ROWS - 1)), 50 + Math.floor(c * 410 / (COLUMNS - 1))], 2 * v);
  }
  const face = Uint8Array.from({ length: 512 ** 2 }, (_, texel) => {
    const [row, column] = [Math.floor(texel / 512), texel % 512];
    return row >= 100 && row < 180 && column >= 120 && column < 220 ? 1 : 0;
  });
  return { places, face, moved: Float32Array.from(drawnUniform("moved", CHEN_VERTICES)) };
}

/** The arrays of the file. */
export function drawnChenModel() {
  const size = 3 * CHEN_VERTICES;
  const sheet = new Float32Array(size);
  const triangles: number[] = [];
  for (let v = 0; v < CHEN_VERTICES; v++) {
    const [r, c] = [Math.floor(v / COLUMNS), v % COLUMNS];
    const [turn, height] = [(c / (COLUMNS - 1) - 0.5) * 2.6, r / (ROWS - 1)];
    sheet.set([60 * Math.sin(turn), (0.5 - height) * 150, 60 * Math.cos(turn)], 3 * v);
    if (r + 1 < ROWS && c + 1 < COLUMNS) {
      triangles.push(v, v + COLUMNS, v + 1, v + 1, v + COLUMNS, v + COLUMNS + 1);
    }
  }
  const about = (name: string, { size, scale, mean }: { size: number; scale: number; mean: number }) =>
    spread(name, size, scale).map((value) => mean + value);
  const basis = (name: string, columns: number, scale: number) => ({
    shape: [size, columns],
    data: spread(name, size * columns, scale),
  });
  const sigma = (name: string, size: number) => ({ shape: [1, size], data: about(name, { size, scale: 1, mean: 1 }) });
  return {
    mu_shape: { shape: [size, 1], data: sheet },
    mu_exp: { shape: [size, 1], data: spread("mu_exp", size, 1) },
    mu_tex: { shape: [size, 1], data: about("mu_tex", { size, scale: 60, mean: 150 }) },
    bases_shape: basis("bases_shape", 199, 0.1),
    bases_exp: basis("bases_exp", 29, 0.1),
    bases_tex: basis("bases_tex", 199, 6),
    sigma_shape: sigma("sigma_shape", 199),
    sigma_exp: sigma("sigma_exp", 29),
    sigma_tex: sigma("sigma_tex", 199),
    tri: { shape: [triangles.length / 3, 3], data: Int32Array.from(triangles) },
    mask_wo_eye: { shape: [1, CHEN_VERTICES], data: Float32Array.from(drawnUniform("eyes", CHEN_VERTICES)) },
    mask_face: { shape: [1, CHEN_VERTICES], data: new Float32Array(CHEN_VERTICES).fill(1) },
  };
}
