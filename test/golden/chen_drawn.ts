/** A drawn model in the form of the authors' `BFM2009_Model.mat`, value for value that of test/golden/chen_faces.py. */
import { drawnUniform } from "./drawn.ts";
import { spread } from "./tran_drawn.ts";

/** Rows and columns of the model's vertices. */
const GRID = [20, 25] as const;
/** Vertices of the model. */
export const CHEN_VERTICES = GRID[0] * GRID[1];

/** Where the vertices of a grid lie in the chart. */
export function drawnChenPlaces([rows, columns]: readonly [number, number] = GRID): Float32Array<ArrayBuffer> {
  const places = new Float32Array(2 * rows * columns);
  for (let v = 0; v < rows * columns; v++) {
    const [r, c] = [Math.floor(v / columns), v % columns];
    places.set([60 + Math.floor(r * 400 / (rows - 1)), 50 + Math.floor(c * 410 / (columns - 1))], 2 * v);
  }
  return places;
}

/** The chart: where the vertices lie, the part of it that is a detailed mesh, and how far its vertices move. */
export function drawnChenChart() {
  const face = Uint8Array.from({ length: 512 ** 2 }, (_, texel) => {
    const [row, column] = [Math.floor(texel / 512), texel % 512];
    return row >= 100 && row < 180 && column >= 120 && column < 220 ? 1 : 0;
  });
  return { places: drawnChenPlaces(), face, moved: Float32Array.from(drawnUniform("moved", CHEN_VERTICES)) };
}

/**
 * The arrays of the file.
 *
 * @param grid rows and columns of the vertices; other ones than the default are no golden model
 * @param taken components of shape and albedo that have data; `matlabParts` makes zeros of the others
 */
export function drawnChenModel([rows, columns]: readonly [number, number] = GRID, taken = 199) {
  const count = rows * columns;
  const size = 3 * count;
  const sheet = new Float32Array(size);
  const triangles: number[] = [];
  for (let v = 0; v < count; v++) {
    const [r, c] = [Math.floor(v / columns), v % columns];
    const [turn, height] = [(c / (columns - 1) - 0.5) * 2.6, r / (rows - 1)];
    sheet.set([60 * Math.sin(turn), (0.5 - height) * 150, 60 * Math.cos(turn)], 3 * v);
    if (r + 1 < rows && c + 1 < columns) {
      triangles.push(v, v + columns, v + 1, v + 1, v + columns, v + columns + 1);
    }
  }
  const about = (name: string, { size, scale, mean }: { size: number; scale: number; mean: number }) =>
    spread(name, size, scale).map((value) => mean + value);
  const matrix = <Data>(rows: number, columns: number, data: Data) => ({
    shape: [rows, columns] as [number, number],
    data,
  });
  const basis = (name: string, components: number, scale: number) =>
    matrix(size, components, spread(name, size * Math.min(components, taken), scale));
  const sigma = (name: string, size: number) => matrix(1, size, about(name, { size, scale: 1, mean: 1 }));
  return {
    mu_shape: matrix(size, 1, sheet),
    mu_exp: matrix(size, 1, spread("mu_exp", size, 1)),
    mu_tex: matrix(size, 1, about("mu_tex", { size, scale: 60, mean: 150 })),
    bases_shape: basis("bases_shape", 199, 0.1),
    bases_exp: basis("bases_exp", 29, 0.1),
    bases_tex: basis("bases_tex", 199, 6),
    sigma_shape: sigma("sigma_shape", 199),
    sigma_exp: sigma("sigma_exp", 29),
    sigma_tex: sigma("sigma_tex", 199),
    tri: matrix(triangles.length / 3, 3, Int32Array.from(triangles)),
    mask_wo_eye: matrix(1, count, Float32Array.from(drawnUniform("eyes", count))),
    mask_face: matrix(1, count, new Float32Array(count).fill(1)),
  };
}
