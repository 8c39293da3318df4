/**
 * The packaged chart gives the inside of the mouth no room: its lips meet in a slit 0.7 texels high (at 256²), and no
 * triangle covers it, so a smile would have neither teeth nor a face there. This opens the slit to an ellipse, lets the
 * chart around it give way smoothly (harmonic displacement on the mesh graph) and spans it with triangles.
 */
import { signedArea } from "./winding.ts";

interface Chart {
  readonly triangles: Uint32Array;
  readonly uvs: Float32Array;
}

/**
 * The mesh with its inner-lip hole open in the chart and covered by triangles.
 *
 * @param mesh Triangles counter-clockwise in the chart, and the (v-down) chart.
 * @param options.height Height of the opened mouth in UV units; 0.06 is 15 texels at 256².
 * @throws Error if the mesh has no second boundary loop, or if opening it that far folds the chart over.
 */
export function openMouth(mesh: Chart, { height }: { height: number }): Chart {
  const { triangles, uvs } = mesh;
  const loops = boundaryLoops(triangles);
  const lips = loops[1];
  if (lips === undefined) throw new Error("The mesh has no hole for a mouth: it has a single boundary");
  const fixed = new Map<number, number>(loops.filter((loop) => loop !== lips).flat().map((i) => [i, 0]));
  const left = lips.reduce((best, i) => uvs[2 * i]! < uvs[2 * best]! ? i : best);
  const right = lips.reduce((best, i) => uvs[2 * i]! > uvs[2 * best]! ? i : best);
  const centre = (uvs[2 * left]! + uvs[2 * right]!) / 2;
  const half = (uvs[2 * right]! - uvs[2 * left]!) / 2;
  const rim = (uvs[2 * left + 1]! + uvs[2 * right + 1]!) / 2;
  for (const i of lips) {
    const side = i === left || i === right ? 0 : Math.sign(uvs[2 * i + 1]! - rim);
    const profile = Math.sqrt(Math.max(0, 1 - ((uvs[2 * i]! - centre) / half) ** 2));
    fixed.set(i, side === 0 ? 0 : rim + side * profile * height / 2 - uvs[2 * i + 1]!);
  }
  const shift = harmonicExtension({ triangles, uvs, fixed });
  const moved = uvs.map((value, k) => k % 2 === 1 ? value + shift[(k - 1) / 2]! : value);
  for (let t = 0; t < triangles.length; t += 3) {
    if (signedArea(moved, triangles.subarray(t, t + 3)) >= 0) {
      throw new Error(`Opening the mouth by ${height} folds triangle ${t / 3} of the chart over`);
    }
  }
  const cap = bridge({ upper: rail(lips, moved, rim, -1), lower: rail(lips, moved, rim, 1), ends: [left, right] });
  return { triangles: Uint32Array.from([...triangles, ...cap]), uvs: moved };
}

/** Vertices of every boundary loop, the longest first; an edge is on a boundary if only one triangle has it. */
export function boundaryLoops(triangles: Uint32Array): number[][] {
  const directed = new Set<string>();
  forEachEdge(triangles, (a, b) => directed.add(`${a},${b}`));
  const next = new Map<number, number>();
  forEachEdge(triangles, (a, b) => {
    if (!directed.has(`${b},${a}`)) next.set(a, b);
  });
  const loops: number[][] = [];
  while (next.size > 0) {
    const loop: number[] = [];
    let at = next.keys().next().value;
    while (at !== undefined && next.has(at)) {
      loop.push(at);
      const to = next.get(at);
      next.delete(at);
      at = to;
    }
    loops.push(loop);
  }
  return loops.sort((a, b) => b.length - a.length);
}

function forEachEdge(triangles: Uint32Array, visit: (a: number, b: number) => void): void {
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) visit(triangles[t + k]!, triangles[t + (k + 1) % 3]!);
  }
}

/**
 * Values at all vertices that equal `fixed` where given and elsewhere the weighted mean of their neighbours. Weights
 * fall with the square of the edge's length, so that the lips, a few short edges thick, move as a whole and keep their
 * height.
 */
function harmonicExtension(
  { triangles, uvs, fixed }: { triangles: Uint32Array; uvs: Float32Array; fixed: ReadonlyMap<number, number> },
): Float64Array {
  const count = uvs.length / 2;
  const neighbours = Array.from({ length: count }, () => new Map<number, number>());
  forEachEdge(triangles, (a, b) => {
    const weight = 1 / ((uvs[2 * a]! - uvs[2 * b]!) ** 2 + (uvs[2 * a + 1]! - uvs[2 * b + 1]!) ** 2);
    neighbours[a]!.set(b, weight);
    neighbours[b]!.set(a, weight);
  });
  const values = new Float64Array(count);
  for (const [i, value] of fixed) values[i] = value;
  for (let sweep = 0; sweep < 500; sweep++) {
    for (let i = 0; i < count; i++) {
      if (fixed.has(i) || neighbours[i]!.size === 0) continue;
      let sum = 0;
      let total = 0;
      for (const [j, weight] of neighbours[i]!) {
        sum += weight * values[j]!;
        total += weight;
      }
      values[i] = sum / total;
    }
  }
  return values;
}

function rail(lips: number[], uvs: Float32Array, rim: number, side: number): number[] {
  return lips.filter((i) => Math.sign(uvs[2 * i + 1]! - rim) === side).sort((a, b) => uvs[2 * a]! - uvs[2 * b]!);
}

/** Triangles between two rails of vertices that run side by side from one common end to the other. */
function bridge(mouth: { upper: number[]; lower: number[]; ends: [number, number] }): number[] {
  const upper = [mouth.ends[0], ...mouth.upper, mouth.ends[1]];
  const lower = [mouth.ends[0], ...mouth.lower, mouth.ends[1]];
  if (upper.length !== lower.length) {
    throw new Error(`The upper lip has ${upper.length} inner vertices and the lower ${lower.length}: cannot pair them`);
  }
  const out: number[] = [];
  for (let k = 0; k + 1 < upper.length; k++) {
    const [a, b, c, d] = [upper[k]!, upper[k + 1]!, lower[k]!, lower[k + 1]!];
    // The diagonal leans the other way on the right half, so that the cap is its own mirror image.
    const halves = 2 * k + 2 <= upper.length - 1 ? [[a, d, b], [a, c, d]] : [[a, c, b], [b, c, d]];
    for (const triangle of halves) if (new Set(triangle).size === 3) out.push(...triangle);
  }
  return out;
}
