import type { Rank, Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { chooseFamily, type Family, seenShapes, setHalfPrecision } from "../../gpu/conv/families.ts";
import { readFamilies, tuneConvolutions, type TunedFamilies } from "../../gpu/conv/tuner.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from "../../gpu/conv/conv2d.ts";
import { geometryOf } from "../../gpu/conv/geometry.ts";
import { openGpu } from "../../gpu/device.ts";
import { convolve } from "../../gpu/ops/convolve.ts";
import { upsampleConvolve } from "../../gpu/ops/upsample_convolve.ts";
import { webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { type ConvCase, type Dense, random, relativeError, walk } from "./reference.ts";

const gpu = await openGpu();
const tf = await openTfjs();
const BASE: ConvCase = {
  batch: 1,
  height: 7,
  width: 9,
  inChannels: 4,
  outChannels: 8,
  kernel: [3, 3],
  stride: 1,
  dilation: 1,
  pad: "same",
};
const CASES: Partial<ConvCase>[] = [
  { inChannels: 32, outChannels: 40, height: 16, width: 17 },
  { batch: 3, inChannels: 3, outChannels: 5 },
  { inChannels: 1, outChannels: 1 },
  { inChannels: 17, outChannels: 3, batch: 2 },
  { stride: 2, batch: 3, inChannels: 12 },
  { kernel: [1, 1], batch: 3, inChannels: 24, outChannels: 36 },
  { kernel: [7, 7], stride: 2, inChannels: 3, width: 19, height: 18 },
  { dilation: 2, batch: 2 },
  { height: 1, width: 1, inChannels: 5, outChannels: 3, batch: 3 },
];

const tensor = ({ data, shape }: Dense) => tf.tensor4d(data, shape as [number, number, number, number]);

/** What a run gives where all convolutions are of one family. */
async function byFamily(family: Family | undefined, run: () => Tensor[]): Promise<Float32Array[]> {
  tf.dispose(run()); // now the shapes are known
  const keys = [...seenShapes(gpu.device).keys()];
  for (const key of keys) chooseFamily(gpu.device, key, family);
  const found = run();
  for (const key of keys) chooseFamily(gpu.device, key, undefined);
  const values = await Promise.all(found.map((t) => t.data<"float32">()));
  tf.dispose(found);
  await gpu.assertHealthy("families test");
  return values;
}

/** Forward pass with bias and activation, and the gradient of the input, by one family. */
async function results(c: ConvCase, family: Family | undefined): Promise<Float32Array[]> {
  const { outHeight, outWidth } = walk(c);
  const [x, filter, bias, dy] = [
    tensor(random([c.batch, c.height, c.width, c.inChannels], 1)),
    tensor(random([...c.kernel, c.inChannels, c.outChannels], 2)),
    tf.tensor1d(random([c.outChannels], 3).data),
    tensor(random([c.batch, outHeight, outWidth, c.outChannels], 4)),
  ];
  const { stride, dilation, pad } = c;
  const f = (a: Tensor): Tensor => convolve(tf, a as Tensor4D, { filter, bias, stride, dilation, pad, slope: 0.2 });
  const values = await byFamily(family, () => [f(x), tf.grad(f)(x, dy)]);
  tf.dispose([x, filter, bias, dy]);
  return values;
}

Deno.test("upsampleConvolve() gives the same bits by either family, with bias and activation", async () => {
  const [x, filter, dy] = [[2, 5, 7, 12], [3, 3, 12, 20], [2, 10, 14, 20]].map((shape, i) => tensor(random(shape, i)));
  const bias = tf.tensor1d(random([20], 4).data);
  const f = (a: Tensor): Tensor => upsampleConvolve(tf, a as Tensor4D, { filter: filter!, bias, slope: 0.2 });
  const run = () => [f(x!), tf.grad(f)(x!, dy!)];
  assert.deepEqual(await byFamily("tiled", run), await byFamily("register", run));
  tf.dispose([x!, filter!, dy!, bias]);
});

Deno.test("tuneConvolutions() measures a shape once an adapter, keeps the choice in the record, and changes no bit", async () => {
  const x = tf.randomUniform<Rank.R4>([1, 12, 13, 8]);
  const filter = tf.randomUniform<Rank.R4>([3, 3, 8, 8]);
  const before = await tf.tidy(() => convolve(tf, x, { filter })).data();
  const known: TunedFamilies = {};
  assert.ok(await tuneConvolutions(tf, { gpu, known }) > 0);
  assert.ok(Object.keys(known).every((key) => key.includes(gpu.info.description)));
  assert.ok(Object.keys(known).some((key) => key.includes("forward 1×12×13 8→8 3×3")));
  const stored = JSON.parse(JSON.stringify({ ...known, "another adapter": "register", broken: "spiral" }));
  assert.deepEqual(readFamilies(stored), { ...known, "another adapter": "register" });
  assert.equal(await tuneConvolutions(tf, { gpu, known: readFamilies(stored) }), 0);
  assert.deepEqual(await tf.tidy(() => convolve(tf, x, { filter })).data(), before);
  for (const key of seenShapes(gpu.device).keys()) chooseFamily(gpu.device, key, undefined);
  tf.dispose([x, filter]);
});

for (const partial of CASES) {
  Deno.test(`both families of kernels give the same bits, those of plain loops: ${JSON.stringify(partial)}`, async () => {
    const c: ConvCase = { ...BASE, ...partial };
    const [registers, tiles] = [await results(c, "register"), await results(c, "tiled")];
    assert.deepEqual(tiles, registers);
    const bias = random([c.outChannels], 3).data;
    const [x, w] = [
      random([c.batch, c.height, c.width, c.inChannels], 1),
      random([...c.kernel, c.inChannels, c.outChannels], 2),
    ];
    const y = new Float64Array(tiles[0]!.length).map((_, i) => bias[i % c.outChannels]!);
    walk(c).visit((o, i, f) => y[o] = y[o]! + x.data[i]! * w.data[f]!);
    assert.ok(relativeError(tiles[0]!, y.map((v) => v > 0 ? v : 0.2 * v)) < 3e-6);
  });
}

Deno.test("mixed precision rounds operands to half floats where the adapter has them, and is refused where not", async () => {
  const c: ConvCase = { ...BASE, inChannels: 32, outChannels: 40, height: 16, width: 17 };
  if (!gpu.device.features.has("shader-f16")) {
    assert.throws(() => setHalfPrecision(gpu.device, true), /no "shader-f16"; train in single precision/);
    return;
  }
  const single = await results(c, undefined);
  setHalfPrecision(gpu.device, true);
  try {
    const half = await results(c, undefined);
    for (const [i, values] of half.entries()) {
      const error = relativeError(values, Float64Array.from(single[i]!));
      assert.ok(error > 1e-6 && error < 2e-3, `result ${i}: ${error}`);
    }
    assert.deepEqual(await results(c, undefined), half);
  } finally {
    setHalfPrecision(gpu.device, false);
  }
});

for (const partial of [CASES[0], CASES[3], CASES[4]]) {
  Deno.test(`on buffers, as on GPUs, the kernels compute the same: ${JSON.stringify(partial)}`, async () => {
    const c: ConvCase = { ...BASE, ...partial };
    const { outHeight, outWidth } = walk(c);
    const [x, filter, dy] = [
      tensor(random([c.batch, c.height, c.width, c.inChannels], 1)),
      tensor(random([...c.kernel, c.inChannels, c.outChannels], 2)),
      tensor(random([c.batch, outHeight, outWidth, c.outChannels], 4)),
    ];
    const attrs = { strides: c.stride, pad: c.pad, dilations: c.dilation };
    const geometry = geometryOf(tf, { shape: x.shape, filter: filter.shape, attrs })!;
    const run = async (software: boolean, family: Family) => {
      const target = { backend: webgpuBackend(tf), software };
      const kernels = () =>
        [
          conv2d(target, geometry, { x, filter }),
          conv2dInputGradient(target, geometry, { dy, filter }),
          conv2dFilterGradient(target, geometry, { x, dy }),
        ].map((info) => tf.engine().makeTensorFromTensorInfo(info));
      tf.dispose(kernels());
      for (const key of seenShapes(gpu.device).keys()) chooseFamily(gpu.device, key, family);
      const found = kernels();
      for (const key of seenShapes(gpu.device).keys()) chooseFamily(gpu.device, key, undefined);
      const values = await Promise.all(found.map((t) => t.data<"float32">()));
      tf.dispose(found);
      await gpu.assertHealthy("buffers test");
      return values as [Float32Array, Float32Array, Float32Array];
    };
    const [y, dx, dw] = await run(true, "register");
    for (const family of ["register", "tiled"] as const) {
      const [gotY, gotDx, gotDw] = await run(false, family);
      assert.deepEqual([gotY, gotDx], [y, dx]);
      // The filter gradient's shares are cut by how much runs at once.
      assert.ok(relativeError(gotDw, Float64Array.from(dw)) < 2e-6);
    }
    tf.dispose([x, filter, dy]);
  });
}
