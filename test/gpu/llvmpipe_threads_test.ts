import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { llvmpipeThreads } from "../../gpu/llvmpipe_threads.ts";

// Opens the device and prints the driver's rasteriser threads, of which it has as many as it computes on.
const OPEN = `
import { openGpu } from ${JSON.stringify(new URL("../../gpu/device.ts", import.meta.url).href)};
await openGpu();
const list = new Deno.Command("sh", { args: ["-c", "cat /proc/" + Deno.pid + "/task/*/comm"] });
const names = new TextDecoder().decode((await list.output()).stdout).split("\\n");
console.log(new Set(names.filter((name) => name.startsWith("llvmpipe-"))).size);
Deno.exit(0);`;

async function driverThreads(environment: Record<string, string>, permissions: readonly string[]): Promise<number> {
  // Deno itself may not read /proc without all permissions.
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--allow-read",
      "--allow-run=sh",
      ...permissions,
      `data:application/typescript,${encodeURIComponent(OPEN)}`,
    ],
    clearEnv: true,
    env: { ...withoutThreads(Deno.env.toObject()), ...environment },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout));
}

function withoutThreads({ LP_NUM_THREADS: _, ...environment }: Record<string, string>): Record<string, string> {
  return environment;
}

Deno.test({
  name: "openGpu() has llvmpipe start several threads a core, unless the environment says how many",
  ignore: Deno.build.os !== "linux" || !/llvmpipe/.test((await openGpu()).info.description),
  fn: async () => {
    assert.equal(await driverThreads({}, ["--allow-env"]), llvmpipeThreads(navigator.hardwareConcurrency));
    assert.equal(await driverThreads({ LP_NUM_THREADS: "3" }, ["--allow-env"]), 3);
    // Without the permission it asks for nothing, and the driver counts for itself.
    assert.ok(await driverThreads({}, []) > 0);
  },
});

Deno.test("llvmpipeThreads() is more than the cores, and never more than Mesa takes", () => {
  assert.deepEqual([1, 2, 6, 8, 64].map(llvmpipeThreads), [4, 8, 24, 32, 32]);
});
