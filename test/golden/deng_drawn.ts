/** The face that test/golden/deng.py draws, number for number. */
import { BFM_AROUND, type BfmModel } from "../../face/bfm_model.ts";
import { drawnUniform } from "./drawn.ts";

const [COLUMNS, ROWS] = [7, 6];
const COUNT = COLUMNS * ROWS;

/** Numbers about 0. */
export function spread(name: string, size: number, scale = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from(drawnUniform(name, size), (value) => scale * (value - 0.5));
}

/** The columns of a matrix as rows. */
function turned(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** The model, with its mean taken off. */
export function drawnBfm(): BfmModel {
  const heights = spread("deng heights", COUNT, 0.4);
  const places = Float64Array.from({ length: 3 * COUNT }, (_, i) => {
    const [vertex, axis] = [Math.floor(i / 3), i % 3];
    if (axis === 2) return heights[vertex]!;
    return Math.fround(axis === 0 ? vertex % COLUMNS * 0.3 - 0.9 : 0.75 - Math.floor(vertex / COLUMNS) * 0.3);
  });
  const means = [0, 1, 2].map((axis) =>
    places.reduce((sum, value, i) => i % 3 === axis ? sum + value : sum, 0) / COUNT
  );
  const triangles: number[] = [];
  for (let r = 0; r < ROWS - 1; r++) {
    for (let c = 0; c < COLUMNS - 1; c++) {
      const a = r * COLUMNS + c;
      triangles.push(a, a + COLUMNS, a + 1, a + 1, a + COLUMNS, a + COLUMNS + 1);
    }
  }
  const around = new Uint32Array(BFM_AROUND * COUNT).fill(triangles.length / 3);
  for (let vertex = 0; vertex < COUNT; vertex++) {
    const own = triangles.flatMap((corner, i) => corner === vertex ? [Math.floor(i / 3)] : []);
    around.set(own, BFM_AROUND * vertex);
  }
  return {
    mean: Float32Array.from(places, (value, i) => value - means[i % 3]!),
    components: Float32Array.of(
      ...turned(spread("deng idBase", 3 * COUNT * 80, 0.05), 80),
      ...turned(spread("deng exBase", 3 * COUNT * 64, 0.05), 64),
    ),
    albedo: spread("deng meantex", 3 * COUNT, 160).map((value) => 128 + value),
    albedoComponents: Float32Array.from(turned(spread("deng texBase", 3 * COUNT * 80, 8), 80)),
    triangles: Uint32Array.from(triangles),
    around,
  };
}
