import assert from "node:assert/strict";
import { type Found, type Machine, setup, thisMachine } from "../setup.ts";

const GL = { description: "llvmpipe", makeshift: true };

/** A made-up machine: what each look for an adapter finds, and what apt-get answers. */
function machine(options: { adapters: (string | Found | null)[]; os?: string; root?: boolean; apt?: number | null }) {
  const done: string[] = [];
  const adapters = options.adapters.map((found) =>
    typeof found === "string" ? { description: found, makeshift: false } : found
  );
  const made: Machine = {
    os: options.os ?? "linux",
    isRoot: () => options.root ?? true,
    findAdapter: () => Promise.resolve(adapters.shift() ?? null),
    aptGet: (args) => {
      done.push(`apt-get ${args[0]}`);
      return Promise.resolve(options.apt === undefined ? 0 : options.apt);
    },
    print: (line) => done.push(line),
  };
  return { made, done };
}

Deno.test("setup() says nothing and does nothing where there is an adapter", async () => {
  const { made, done } = machine({ adapters: ["a GPU"] });
  assert.equal(await setup(made), 0);
  assert.deepEqual(done, []);
});

Deno.test("setup() as root installs the software driver and looks again", async () => {
  const { made, done } = machine({ adapters: [null, "llvmpipe"] });
  assert.equal(await setup(made), 0);
  assert.deepEqual(done.slice(1), ["apt-get update", "apt-get install", "Ready: llvmpipe."]);
});

Deno.test("setup() without root touches nothing and prints what to type", async () => {
  const { made, done } = machine({ adapters: [null], root: false });
  assert.equal(await setup(made), 1);
  assert.equal(done.length, 1);
  assert.match(done[0]!, /sudo apt-get update && sudo apt-get install -y --no-install-recommends mesa-vulkan-drivers/);
});

Deno.test("setup() ends with 1 and a reason where it cannot help", async () => {
  const cases = [
    [{ adapters: [null], os: "darwin" }, /graphics driver/],
    [{ adapters: [null], apt: null }, /no apt-get here/],
    [{ adapters: [null], apt: 100 }, /ended with 100/],
    [{ adapters: [null, null] }, /still no WebGPU adapter/],
  ] as const;
  for (const [options, reason] of cases) {
    const { made, done } = machine({ ...options, adapters: [...options.adapters] });
    assert.equal(await setup(made), 1);
    assert.match(done.at(-1)!, reason);
  }
});

Deno.test("setup() brings Vulkan where there is only software OpenGL, or goes on with that", async () => {
  const { made, done } = machine({ adapters: [GL, "llvmpipe"] });
  assert.equal(await setup(made), 0);
  assert.deepEqual(done.slice(1), ["apt-get update", "apt-get install", "Ready: llvmpipe."]);
  for (const options of [{ root: false }, { apt: 100 }, { apt: null }]) {
    const { made, done } = machine({ adapters: [GL], ...options });
    assert.equal(await setup(made), 0);
    assert.match(done.join("\n"), /OpenGL/);
  }
});

Deno.test("thisMachine() finds the adapter here and, asked again, in a new thread", async () => {
  const here = thisMachine();
  const first = await here.findAdapter();
  assert.ok(first !== null);
  assert.deepEqual(await here.findAdapter(), first);
});
