import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { drawMeshes, type DrawnTopology } from "../../face/draw_meshes.ts";
import { gridHead, randomStream } from "./head.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";

const random = randomStream(31);
const tf = await openTfjs();
const { topology, model } = gridHead(15);
const vertices = model.length / 3;
/** A chart whose places are not the vertices: those of the second half of the triangles lie apart. */
const half = 3 * Math.floor(topology.triangles.length / 6);
const chart = {
  uvs: Float32Array.of(...topology.uvs, ...topology.uvs.map((value) => 0.5 * value)),
  uvTriangles: topology.triangles.map((vertex, corner) => corner < half ? vertex : vertex + vertices),
};

function head(
  yaw: number,
  { width, height, shift = 0 }: { width: number; height: number; shift?: number },
): Float32Array {
  return poseToCrop({
    scale: Math.min(width, height) / 3,
    rotation: rotationFromAngles({ yaw, pitch: 7, roll: 5 }),
    translation: Float64Array.of(width / 2 + shift, -height / 2, 0),
  }, model);
}

const drawn = (size: number) => Float32Array.from({ length: size }, () => 1.4 * random() - 0.2);

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly meshes: readonly Float32Array[];
  readonly over: Float32Array;
  readonly colours?: Float32Array;
  readonly texture?: { readonly size: number; readonly data: Float32Array };
}

/** The same in loops: 2×2 samples a pixel, each of the nearest triangle. */
function drawCpu({ width, height, meshes, over, colours, texture }: Drawing, { triangles, chart }: DrawnTopology) {
  const out = over.slice();
  for (const [index, mesh] of meshes.entries()) {
    const doubled = { vertices: mesh.map((value) => 2 * value), triangles };
    const raster = rasteriseCpu(doubled, { width: 2 * width, height: 2 * height });
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      for (let c = 0; c < 3; c++) {
        const at = 3 * (index * width * height + pixel) + c;
        let sum = 0;
        for (const sample of [0, 1, 2, 3]) {
          const place = (2 * y + (sample >> 1)) * 2 * width + 2 * x + (sample & 1);
          const t = raster.triangle[place]!;
          if (t < 0) {
            sum += over[at]! / 4;
            continue;
          }
          const [a, b] = [raster.weights[2 * place]!, raster.weights[2 * place + 1]!];
          const weights = [a, b, 1 - a - b];
          const mixed = (value: (corner: number) => number) =>
            weights.reduce((total, weight, k) => total + weight * value(3 * t + k), 0);
          let value = 1;
          if (colours) value *= mixed((corner) => colours[3 * (index * vertices + triangles[corner]!) + c]!);
          if (texture) {
            const { size, data } = texture;
            const [u, v] = [0, 1].map((axis) =>
              size * mixed((corner) => chart!.uvs[2 * chart!.uvTriangles[corner]! + axis]!) - 0.5
            ) as [number, number];
            const texel = (column: number, row: number) => {
              const [i, j] = [column, row].map((one) => Math.min(size - 1, Math.max(0, one))) as [number, number];
              return data[3 * ((index * size + j) * size + i) + c]!;
            };
            const [left, top] = [Math.floor(u), Math.floor(v)];
            const row = (r: number) => texel(left, r) * (1 - u + left) + texel(left + 1, r) * (u - left);
            value *= row(top) * (1 - v + top) + row(top + 1) * (v - top);
          }
          sum += Math.min(1, Math.max(0, value)) / 4;
        }
        out[at] = sum;
      }
    }
  }
  return out;
}

async function draw(
  { width, height, meshes, over, colours, texture }: Drawing,
  topology: DrawnTopology & { readonly bytesAtOnce?: number },
) {
  const count = meshes.length;
  const pictures = tf.tidy(() =>
    drawMeshes(tf, meshes, {
      ...topology,
      ...(colours && { colours: tf.tensor3d(colours, [count, vertices, 3]) }),
      ...(texture && { texture: tf.tensor4d(texture.data, [count, texture.size, texture.size, 3]) }),
      over: tf.add(tf.tensor4d(over, [count, height, width, 3]), 0),
    })
  );
  const data = await pictures.data<"float32">();
  pictures.dispose();
  return data;
}

const [width, height] = [45, 38];
const meshes = [head(0, { width, height }), head(60, { width, height, shift: 25 }), head(-100, { width, height })];
const over = Float32Array.from({ length: 3 * 3 * width * height }, random);
const colours = drawn(3 * 3 * vertices);
const texture = { size: 24, data: drawn(3 * 3 * 24 * 24) };

for (
  const [name, lit] of Object.entries({
    "colours of the vertices": { colours },
    "a texture whose chart has a seam": { texture },
    "a texture and its light": { colours, texture },
  })
) {
  Deno.test(`drawMeshes() draws ${name} as loops do, over a picture`, async () => {
    const drawing = { width, height, meshes, over, ...lit };
    const shape = { triangles: topology.triangles, chart };
    const found = await draw(drawing, shape);
    const expected = drawCpu(drawing, shape);
    assert.ok(expected.some((value, i) => value !== over[i]), "something is drawn");
    const off = expected.filter((value, i) => !(Math.abs(value - found[i]!) < 2e-5)).length;
    // a sample within 1e-4 pixels of an edge may show the other side
    assert.ok(off <= 3 + 2e-3 * found.length, `${off} of ${found.length} values differ`);
    assert.deepEqual(await draw(drawing, shape), found, "the same bits in another run");
    const banded = await draw(drawing, { ...shape, bytesAtOnce: 1500 });
    const others = banded.filter((value, i) => !(Math.abs(value - found[i]!) < 2e-5)).length;
    assert.ok(others <= 3 + 2e-3 * found.length, `in bands: ${others} of ${found.length} values differ`);
    const one = found.length / 3;
    const alone = {
      width,
      height,
      meshes: [meshes[1]!],
      over: over.slice(one, 2 * one),
      ...("colours" in lit && { colours: colours.slice(3 * vertices, 6 * vertices) }),
      ...("texture" in lit && { texture: { size: 24, data: texture.data.slice(3 * 24 * 24, 6 * 24 * 24) } }),
    };
    assert.deepEqual(await draw(alone, shape), found.slice(one, 2 * one), "and alone");
  });
}

Deno.test("drawMeshes() refuses what does not fit", async () => {
  const shape = { triangles: topology.triangles };
  const small = { width, height, meshes: [meshes[0]!], over: over.slice(0, 3 * width * height) };
  await assert.rejects(draw(small, shape), /no colours and no texture/);
  const map = { size: 4, data: drawn(48) };
  await assert.rejects(draw({ ...small, texture: map }, shape), /have no chart/);
  const tints = drawn(3 * vertices);
  await assert.rejects(
    draw({ ...small, meshes: [meshes[0]!.subarray(3)], colours: tints }, shape),
    /Cannot draw 1 meshes/,
  );
  const bad = meshes[0]!.slice();
  bad[7] = NaN;
  await assert.rejects(
    draw({ ...small, meshes: [bad], colours: tints }, shape),
    /mesh 0: a vertex is no finite number/,
  );
});
