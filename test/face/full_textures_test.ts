import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { disposeFullChart, fullChart, fullTextures } from "../../face/full_textures.ts";
import { fullTextureCpu, type FullViewCpu } from "../../face/full_textures_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import { CROP, inside, posed, SIZE, smoothAlbedo, topology } from "../stages/face_lab.ts";
import { randomStream } from "./head.ts";

const tf = await openTfjs();

/** A picture of waves that many texels of the small size see as one. */
function waves(scale: number, fine: number) {
  const [width, height] = [scale * CROP, scale * CROP];
  const data = Float32Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width / scale, Math.floor(i / 3 / width) / scale];
    return 0.5 + 0.2 * Math.sin(x / 40 + i % 3) + fine * Math.sin(2.3 * x) * Math.sin(2.1 * y);
  });
  return { width, height, data };
}

/** The same picture at the crop's size, each pixel the mean of those that it stands for. */
function reduced({ width, data }: ReturnType<typeof waves>) {
  const scale = width / CROP;
  const out = new Float32Array(3 * CROP * CROP);
  for (let i = 0; i < 3 * width * width; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const to = 3 * (Math.floor(y / scale) * CROP + Math.floor(x / scale)) + i % 3;
    out[to] = out[to]! + data[i]! / scale ** 2;
  }
  return { width: CROP, height: CROP, data: out };
}

function viewOf({ scale = 4, fine = 0.1, yaw = 0 }: { scale?: number; fine?: number; yaw?: number }): FullViewCpu {
  const picture = waves(scale, fine);
  const vertices = posed(yaw);
  const [seen] = unwrapCpu([{ image: reduced(picture), vertices }], { topology, size: SIZE });
  return { picture, vertices: vertices.map((value) => value * scale), ...seen! };
}

async function onDevice(views: readonly FullViewCpu[], { maps, size }: { maps: Float32Array[]; size: number }) {
  const chart = fullChart(tf, topology, size);
  const tensor = tf.tidy(() =>
    fullTextures(
      tf,
      views.map(({ picture: { width, height, data }, vertices, texture, visibility, share }) => ({
        picture: tf.tensor4d(data, [1, height, width, 3]),
        vertices,
        texture: tf.tensor3d(texture, [SIZE, SIZE, 3]),
        visibility: tf.tensor2d(visibility, [SIZE, SIZE]),
        ...(share === undefined ? {} : { share: tf.tensor2d(share, [SIZE, SIZE]) }),
      })),
      {
        maps: tf.stack(maps.map((map) => tf.tensor3d(map, [SIZE, SIZE, 3]))) as Tensor4D,
        chart,
      },
    )
  );
  disposeFullChart(chart);
  const values = await tensor.data<"float32">();
  tensor.dispose();
  return maps.map((_, i) => values.slice(3 * size ** 2 * i, 3 * size ** 2 * (i + 1)));
}

Deno.test("textures at full size agree with the reference, of one view and of several with their shares", async () => {
  const share = Float32Array.from({ length: SIZE * SIZE }, (_, i) => i % SIZE / SIZE);
  const views = [
    { ...viewOf({ yaw: 20 }), share },
    { ...viewOf({ scale: 1, yaw: -35 }), share: share.map((value) => 1 - value) },
  ];
  for (const [some, size] of [[views, 256], [views.slice(0, 1), 150], [[viewOf({})], SIZE]] as const) {
    const maps = [smoothAlbedo(1), smoothAlbedo(2)];
    const found = await onDevice(some, { maps, size });
    for (const [i, map] of maps.entries()) {
      const expected = fullTextureCpu(some, { map, topology, size });
      // a texel whose centre lies on the chart's border may be decided the other way
      const off = found[i]!.filter((value, k) => Math.abs(value - expected[k]!) > 2e-4).length;
      assert.ok(off <= 3, `${some.length} views at ${size}²: ${off} values are off`);
    }
  }
});

Deno.test("the seen part is the photograph's, at full size, and what was not seen the network's", () => {
  const view = viewOf({ yaw: 30 });
  const size = 4 * SIZE;
  const [truth] = unwrapCpu([{ image: view.picture, vertices: view.vertices }], { topology, size });
  const map = view.texture.map((value, i) => view.visibility[Math.floor(i / 3)]! > 0 ? value : 0.9);
  const full = fullTextureCpu([view], { map, topology, size });
  const plain = fullTextureCpu([{ ...view, visibility: new Float32Array(SIZE * SIZE) }], { map, topology, size });
  const chart = uvMap(topology, size);
  const errors = { full: 0, plain: 0, seen: 0 };
  let unseen = 0;
  for (let i = 0; i < size * size; i++) {
    if (chart.inside[i] === 0) continue;
    // a place is read from two small texels to each side
    const around = [-2, -1, 0, 1, 2].flatMap((y) =>
      [-2, -1, 0, 1, 2].map((x) => {
        return view.visibility[(Math.floor(i / size / 4) + y) * SIZE + Math.floor(i % size / 4) + x] ?? 0;
      })
    );
    if (Math.min(...around) > 0.95) {
      errors.seen++;
      errors.full += Math.abs(full[3 * i]! - truth!.texture[3 * i]!);
      errors.plain += Math.abs(plain[3 * i]! - truth!.texture[3 * i]!);
    }
    if (Math.max(...around) === 0) {
      unseen++;
      assert.equal(full[3 * i], plain[3 * i]);
    }
  }
  assert.ok(errors.seen > 5000 && unseen > 500, JSON.stringify({ errors, unseen }));
  assert.ok(errors.full < 0.2 * errors.plain, JSON.stringify(errors));
});

Deno.test("where the photograph has no more pixels than the small size, nothing is added", () => {
  const view = viewOf({ scale: 1, fine: 0 });
  const [map, size] = [view.texture, 2 * SIZE];
  const full = fullTextureCpu([view], { map, topology, size });
  const plain = fullTextureCpu([{ ...view, visibility: new Float32Array(SIZE * SIZE) }], { map, topology, size });
  let sum = 0;
  full.forEach((value, i) => sum += Math.abs(value - plain[i]!));
  assert.ok(sum / full.length < 0.002, `${sum / full.length}`);
});

Deno.test("a texture has the same bits in every run, and maps of another size are refused", async () => {
  const next = randomStream(3);
  const view = viewOf({ yaw: 10 });
  const maps = [view.texture.map((value, i) => inside[Math.floor(i / 3)] === 1 ? value : next())];
  const [a, b] = [await onDevice([view], { maps, size: 128 }), await onDevice([view], { maps, size: 128 })];
  assert.deepEqual(a, b);
  const smaller = { ...view, visibility: view.visibility.slice(SIZE), texture: view.texture.slice(3 * SIZE) };
  assert.throws(() =>
    fullTextures(tf, [{
      picture: tf.zeros([1, 8, 8, 3]),
      vertices: view.vertices,
      texture: tf.tensor1d(smaller.texture),
      visibility: tf.tensor1d(smaller.visibility),
    }], { maps: tf.zeros([1, SIZE, SIZE, 3]), chart: fullChart(tf, topology, 128) }), /cannot be enlarged/);
});
