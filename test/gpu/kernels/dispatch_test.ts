import assert from "node:assert/strict";
import { webgpuBackend } from "../../../gpu/backend.ts";
import { openGpu } from "../../../gpu/device.ts";
import { dispatch } from "../../../gpu/kernels/dispatch.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";

Deno.test("an operand that the device cannot bind is refused by name and size", async () => {
  const gpu = await openGpu();
  const limit = gpu.device.limits.maxStorageBufferBindingSize;
  const shape = [1, 1, limit / 4 + 4, 1];
  const backend = webgpuBackend(await openTfjs());
  const options = { key: "too large", code: () => "", inputs: [], shape, uniforms: [], invocations: 1 };
  assert.throws(() => dispatch(backend, options), /too large: a tensor .* bytes, the device binds at most/);
});
