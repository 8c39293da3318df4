/** A drawn model in FLAME's shapes, value for value that of test/golden/flame.py. */
import { drawnUniform } from "./drawn.ts";
import { hash } from "./images.ts";

const [V, F, J] = [5023, 9976, 5];

/** Numbers about 0. */
export function spread(name: string, size: number, scale: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(drawnUniform(name, size), (value) => scale * (value - 0.5));
}

function shares(name: string, { rows, columns, least = 0 }: { rows: number; columns: number; least?: number }) {
  const values = drawnUniform(name, rows * columns).map((value) => value >= least ? value : 0);
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * columns, (row + 1) * columns);
    const sum = part.reduce((a, b) => a + b, 0);
    part.forEach((value, i) => out[row * columns + i] = value / sum);
  }
  return out;
}

function below(name: string, size: number, count: number): Int32Array<ArrayBuffer> {
  const first = drawnUniform(name, 1)[0]! * 2 ** 32;
  return Int32Array.from({ length: size }, (_, i) => hash(first + i) % count);
}

/** The tensors of `generic_model.pkl`. */
export function drawnFlame() {
  return {
    v_template: { shape: [V, 3], data: spread("v_template", 3 * V, 0.2) },
    shapedirs: { shape: [V, 3, 400], data: spread("shapedirs", 3 * V * 400, 0.004) },
    posedirs: { shape: [V, 3, 36], data: spread("posedirs", 3 * V * 36, 0.01) },
    J_regressor: { shape: [J, V], data: shares("J_regressor", { rows: J, columns: V, least: 0.995 }) },
    weights: { shape: [V, J], data: shares("weights", { rows: V, columns: J }) },
    f: { shape: [F, 3], data: below("f", 3 * F, V) },
    kintree_table: { shape: [2, J], data: Uint32Array.of(2 ** 32 - 1, 0, 1, 1, 1, 0, 1, 2, 3, 4) },
  };
}

/** The codes of `count` heads: shape and then expression coefficients. */
export function drawnComponents(count: number): Float32Array<ArrayBuffer> {
  const [shape, expression] = [spread("shape", 100 * count, 4), spread("expression", 50 * count, 4)];
  const out = new Float32Array(150 * count);
  for (let i = 0; i < count; i++) {
    out.set(shape.subarray(100 * i, 100 * (i + 1)), 150 * i);
    out.set(expression.subarray(50 * i, 50 * (i + 1)), 150 * i + 100);
  }
  return out;
}

/** The text of a `head_template.obj`: the drawn triangles, each small in a chart of 5,118 places. */
export function drawnTemplate(): string {
  const triangles = below("f", 3 * F, V);
  const lines = Array<string>(V).fill("v 0 0 0");
  for (let i = 0; i < 5118; i++) lines.push(`vt ${i % 72 / 72 + 0.003} ${Math.floor(i / 72) / 72 + 0.004}`);
  for (let i = 0; i < F; i++) {
    const place = hash(i) % 5000 + 1;
    const corners = [place, place + 1, place + 73].map((uv, k) => `${triangles[3 * i + k]! + 1}/${uv}`);
    lines.push(`f ${corners.join(" ")}`);
  }
  return lines.join("\n");
}
