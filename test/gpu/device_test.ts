import assert from "node:assert/strict";
import { GpuError, openGpu } from "../../gpu/device.ts";
import { openSession } from "../../gpu/onnx.ts";
import { webgpuBackend } from "../../gpu/backend.ts";
import { openTfjs } from "../../gpu/tfjs.ts";
import { doublingModel } from "./onnx_model.ts";

Deno.test("openGpu() gives one device with raised limits", async () => {
  const [first, second] = await Promise.all([openGpu(), openGpu()]);
  assert.equal(first.device, second.device);
  assert.ok((first.limits.maxStorageBuffersPerShaderStage ?? 0) >= 8);
  assert.equal(first.device.limits.maxStorageBufferBindingSize, first.limits.maxStorageBufferBindingSize);
  assert.ok(first.info.description.length > 0);
});

Deno.test("tfjs and ONNX Runtime run on the shared device", async () => {
  const gpu = await openGpu();
  const tf = await openTfjs();
  assert.equal(tf.getBackend(), "webgpu");
  assert.equal(webgpuBackend(tf).device, gpu.device);

  const dispatches: string[] = [];
  const create = gpu.device.createComputePipeline.bind(gpu.device);
  gpu.device.createComputePipeline = (descriptor) => {
    dispatches.push("pipeline");
    return create(descriptor);
  };
  const createAsync = gpu.device.createComputePipelineAsync.bind(gpu.device);
  gpu.device.createComputePipelineAsync = (descriptor) => {
    dispatches.push("pipeline");
    return createAsync(descriptor);
  };
  try {
    const { Worker } = globalThis;
    const session = await openSession(doublingModel(7), { name: "doubling", on: "gpu" });
    assert.equal(globalThis.Worker, Worker, "ONNX Runtime replaced the web's workers");
    const { y } = await session.run({ x: { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7), dims: [1, 7] } });
    assert.deepEqual(y, { data: Float32Array.of(2, 4, 6, 8, 10, 12, 14), dims: [1, 7] });
    assert.ok(dispatches.length > 0, "ONNX Runtime made its pipeline on another device");
    await assert.rejects(session.run({}), /input "x" is missing/);
    await assert.rejects(session.run({ x: { data: new Float32Array(3), dims: [1, 7] } }), /3 values for dims \[1,7\]/);
    await session.release();
  } finally {
    gpu.device.createComputePipeline = create;
    gpu.device.createComputePipelineAsync = createAsync;
  }

  const onCpu = await openSession(doublingModel(3), { on: "cpu" });
  const { y } = await onCpu.run({ x: { data: Float32Array.of(1, 2, 3), dims: [1, 3] } });
  assert.deepEqual(y, { data: Float32Array.of(2, 4, 6), dims: [1, 3] });
  await onCpu.release();

  const sum = tf.tidy(() => tf.matMul(tf.ones([40, 3]), tf.ones([3, 50])).add(tf.ones([40, 50])));
  assert.deepEqual(await sum.data(), new Float32Array(2000).fill(4));
  sum.dispose();
});

Deno.test("networks on the GPU are opened, run and released side by side", async () => {
  const [four, eight] = await Promise.all([4, 8].map((size) => openSession(doublingModel(size), { on: "gpu" })));
  const run = async (session: typeof four, size: number, value: number) => {
    const { y } = await session!.run({ x: { data: new Float32Array(size).fill(value), dims: [1, size] } });
    return y!.data;
  };
  const results = await Promise.all([run(four, 4, 1), run(four, 4, 2), run(eight, 8, 3), run(four, 4, 4)]);
  assert.deepEqual(
    results,
    [[4, 2], [4, 4], [8, 6], [4, 8]].map(([size, value]) => new Float32Array(size!).fill(value!)),
  );
  // A run that fails does not hold up those behind it.
  const wrong = four!.run({ x: { data: new Float32Array(8), dims: [1, 8] } });
  const [failed, other] = await Promise.allSettled([wrong, run(eight, 8, 5), four!.release(), eight!.release()]);
  assert.equal(failed.status, "rejected");
  assert.deepEqual(other, { status: "fulfilled", value: new Float32Array(8).fill(10) });
});

Deno.test("assertHealthy() names the work in which a shader was broken, once", async () => {
  const gpu = await openGpu();
  gpu.device.createShaderModule({ code: "this is not WGSL" });
  await assert.rejects(gpu.assertHealthy("stage broken"), (error) => {
    assert.ok(error instanceof GpuError);
    assert.equal(error.where, "stage broken");
    assert.match(error.message, /stage broken/);
    assert.ok(error.messages.length > 0);
    return true;
  });
  await gpu.assertHealthy("the next stage");
});

Deno.test("all who ask when an error arrives are told of it, and nobody who asks afterwards", async () => {
  const gpu = await openGpu();
  gpu.device.createBuffer({ size: 2 * gpu.limits.maxBufferSize!, usage: GPUBufferUsage.STORAGE });
  const asked = await Promise.allSettled(["one", "another"].map((name) => gpu.assertHealthy(name)));
  assert.deepEqual(asked.map(({ status }) => status), ["rejected", "rejected"]);
  await gpu.assertHealthy("a third");
});

Deno.test("a broken tfjs program surfaces as GpuError", async () => {
  const gpu = await openGpu();
  const tf = await openTfjs();
  const x = tf.ones([4]);
  const program = {
    variableNames: ["x"],
    outputShape: [4],
    shaderKey: "broken",
    workgroupSize: [64, 1, 1] as [number, number, number],
    dispatchLayout: { x: [0] },
    dispatch: [1, 1, 1] as [number, number, number],
    getUserCode: () => "fn main(index : i32) { undefinedFunction(); }",
  };
  let thrown: unknown;
  try {
    webgpuBackend(tf).runWebGPUProgram(program, [x], "float32");
  } catch (error) {
    thrown = error;
  }
  await assert.rejects(gpu.assertHealthy("broken program"), GpuError, String(thrown));
  x.dispose();
});
