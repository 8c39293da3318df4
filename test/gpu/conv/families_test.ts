import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from "../../../gpu/conv/conv2d.ts";
import { conv2dCpu, conv2dFilterGradientCpu, conv2dInputGradientCpu } from "../../../gpu/conv/conv2d_cpu.ts";
import { chooseFamily, type Family, seenShapes, setHalfPrecision } from "../../../gpu/conv/families.ts";
import { openGpu } from "../../../gpu/device.ts";
import { convolve } from "../../../gpu/ops/convolve.ts";
import { convolveCpu, convolveGradientCpu } from "../../../gpu/ops/convolve_cpu.ts";
import { upsampleConvolve } from "../../../gpu/ops/upsample_convolve.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { random, relativeError, type Values } from "../arrays.ts";
import { BASE, type ConvCase, operandsOf } from "./conv_case.ts";

const gpu = await openGpu();
const tf = await openTfjs();
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

const tensor = ({ data, shape }: Values) => tf.tensor4d(data, shape as [number, number, number, number]);

/** What a run gives where every convolution that has run is of one family; afterwards each is of the default again. */
async function byFamily(family: Family | undefined, run: () => Tensor[]): Promise<Float32Array[]> {
  tf.dispose(run()); // now the shapes are known
  const keys = [...seenShapes(gpu.device).keys()];
  const choose = (chosen: Family | undefined) => {
    for (const key of keys) chooseFamily(gpu.device, key, chosen);
  };
  choose(family);
  try {
    const found = run();
    const values = await Promise.all(found.map((t) => t.data<"float32">()));
    tf.dispose(found);
    await gpu.assertHealthy("families test");
    return values;
  } finally {
    choose(undefined);
  }
}

/** Forward pass with bias and activation, and the gradient of the input, by one family. */
async function results(c: ConvCase, family: Family | undefined): Promise<Float32Array[]> {
  const given = operandsOf(c);
  const [x, filter, bias, dy] = [tensor(given.x), tensor(given.filter), tf.tensor1d(given.bias.data), tensor(given.dy)];
  const { stride, dilation, pad } = c;
  const f = (a: Tensor): Tensor => convolve(tf, a as Tensor4D, { filter, bias, stride, dilation, pad, slope: 0.2 });
  const values = await byFamily(family, () => [f(x), tf.grad(f)(x, dy)]);
  tf.dispose([x, filter, bias, dy]);
  return values;
}

/** What `results` must be; with `round`, of rounded inputs, gradients and weights. */
function expected(c: ConvCase, round: (value: number) => number = (value) => value): Float64Array[] {
  const given = operandsOf(c);
  const rounded = ({ shape, data }: Values) => ({ shape, data: Float64Array.from(data, round) });
  const { stride, dilation, pad } = c;
  const options = { bias: given.bias, stride, dilation, pad, slope: 0.2 };
  const value = convolveCpu(rounded(given.x), { ...options, filter: rounded(given.filter) });
  // The gradient passes through the activation in single precision, and is rounded for the product behind it.
  const dz = { ...value, data: given.dy.data.map((d, i) => round(value.data[i]! > 0 ? d : Math.fround(0.2) * d)) };
  const linear = { ...options, slope: 1 };
  const { x } = convolveGradientCpu(dz, { ...linear, x: given.x, filter: rounded(given.filter) });
  return [value.data, x.data];
}

Deno.test("upsampleConvolve() gives the same bits by either family, with bias and activation", async () => {
  const [x, filter, dy] = [[2, 5, 7, 12], [3, 3, 12, 20], [2, 10, 14, 20]].map((shape, i) => tensor(random(shape, i)));
  const bias = tf.tensor1d(random([20], 4).data);
  const f = (a: Tensor): Tensor => upsampleConvolve(tf, a as Tensor4D, { filter: filter!, bias, slope: 0.2 });
  const run = () => [f(x!), tf.grad(f)(x!, dy!)];
  assert.deepEqual(await byFamily("tiled", run), await byFamily("register", run));
  tf.dispose([x!, filter!, dy!, bias]);
});

for (const partial of CASES) {
  Deno.test(`both families give the same bits, those of plain loops: ${JSON.stringify(partial)}`, async () => {
    const c: ConvCase = { ...BASE, ...partial };
    const [registers, tiles] = [await results(c, "register"), await results(c, "tiled")];
    assert.deepEqual(tiles, registers);
    for (const [i, values] of expected(c).entries()) {
      const error = relativeError(tiles[i]!, values);
      assert.ok(error < 3e-6, `result ${i}: ${error}`);
    }
  });
}

const HALF: ConvCase = { ...BASE, inChannels: 32, outChannels: 40, height: 16, width: 17 };
const hasHalf = gpu.device.features.has("shader-f16");

if (hasHalf) {
  Deno.test("mixed precision computes what plain loops do over operands rounded to half floats", async () => {
    const single = await results(HALF, undefined);
    setHalfPrecision(gpu.device, true);
    try {
      const half = await results(HALF, undefined);
      for (const [i, values] of expected(HALF, Math.f16round).entries()) {
        const error = relativeError(half[i]!, values);
        assert.ok(error < 1e-5, `result ${i}: ${error}`);
        const rounding = relativeError(half[i]!, Float64Array.from(single[i]!));
        assert.ok(rounding > 1e-6 && rounding < 2e-3, `result ${i} is ${rounding} from that in single precision`);
      }
      assert.deepEqual(await results(HALF, undefined), half);
    } finally {
      setHalfPrecision(gpu.device, false);
    }
    assert.deepEqual(await results(HALF, undefined), single);
  });
} else {
  Deno.test("mixed precision is refused where the adapter has no half floats, and nothing changes", async () => {
    const single = await results(HALF, undefined);
    assert.throws(() => setHalfPrecision(gpu.device, true), /no "shader-f16"; train in single precision/);
    assert.deepEqual(await results(HALF, undefined), single);
  });
}

for (const partial of [CASES[0], CASES[3], CASES[4]]) {
  Deno.test(`on buffers, as on GPUs, the kernels compute the same: ${JSON.stringify(partial)}`, async () => {
    const given = operandsOf({ ...BASE, ...partial });
    const { geometry } = given;
    const [x, filter, dy] = [tensor(given.x), tensor(given.filter), tensor(given.dy)];
    const run = async (software: boolean, family: Family) => {
      const target = { backend: webgpuBackend(tf), software };
      const values = await byFamily(family, () =>
        [
          conv2d(target, geometry, { x, filter }),
          conv2dInputGradient(target, geometry, { dy, filter }),
          conv2dFilterGradient(target, geometry, { x, dy }),
        ].map((info) => tf.engine().makeTensorFromTensorInfo(info)));
      return values as [Float32Array, Float32Array, Float32Array];
    };
    const [y, dx, dw] = await run(true, "register");
    const plain = [
      conv2dCpu(geometry, { x: given.x, filter: given.filter }),
      conv2dInputGradientCpu(geometry, { dy: given.dy, filter: given.filter }),
      conv2dFilterGradientCpu(geometry, { x: given.x, dy: given.dy }),
    ];
    for (const [i, values] of [y, dx, dw].entries()) {
      const error = relativeError(values, plain[i]!.data);
      assert.ok(error < 3e-6, `result ${i}: ${error}`);
    }
    for (const family of ["register", "tiled"] as const) {
      const [gotY, gotDx, gotDw] = await run(false, family);
      assert.deepEqual([gotY, gotDx], [y, dx]);
      // The filter gradient's shares are cut by how much runs at once.
      assert.ok(relativeError(gotDw, Float64Array.from(dw)) < 2e-6);
    }
    tf.dispose([x, filter, dy]);
  });
}
