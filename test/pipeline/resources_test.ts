/** Scheduling: who runs when, by cores, memory and the GPU, and that no result depends on it. */
import assert from "node:assert/strict";
import { z } from "zod";
import { defineStage, reproduce, type Resources } from "../../pipeline/mod.ts";
import { openPool, type Request } from "../../pipeline/resources.ts";
import { openLab } from "./lab.ts";

const GPU = 1;

Deno.test("what runs at once never takes more than there is, and all of it runs in the end", async () => {
  using lab = openLab();
  const limits = { cores: 4, memoryMiB: 1000 };
  const gpuLock = `${lab.root}/gpu.lock`;
  const pool = openPool({ ...limits, gpuLock, signal: new AbortController().signal });
  let random = 1;
  const below = (n: number) => (random = (random * 48271) % 2147483647) % n;
  const used = { cores: 0, memoryMiB: 0, gpu: 0 };
  let [most, done] = [0, 0];
  const requests = Array.from({ length: 200 }, (): Request => {
    return { cores: 1 + below(5), memoryMiB: below(1200), gpu: below(4) === 0 };
  });
  await Promise.all(requests.map(async (request) => {
    const release = await pool.take(request);
    // a request larger than the machine gets all of it
    const need = {
      cores: Math.min(request.cores ?? 0, limits.cores),
      memoryMiB: Math.min(request.memoryMiB ?? 0, limits.memoryMiB),
      gpu: request.gpu === true ? 1 : 0,
    };
    for (const name of ["cores", "memoryMiB", "gpu"] as const) used[name] += need[name];
    assert.ok(used.cores <= limits.cores && used.memoryMiB <= limits.memoryMiB && used.gpu <= GPU);
    most = Math.max(most, used.cores);
    for (let turn = below(5); turn >= 0; turn--) await Promise.resolve();
    for (const name of ["cores", "memoryMiB", "gpu"] as const) used[name] -= need[name];
    release();
    // releasing twice frees once
    release();
    done++;
  }));
  assert.equal(done, requests.length);
  assert.equal(most, limits.cores, "and there were times when all of it was in use");
});

Deno.test("a large request is not overtaken for ever; one that needs no GPU does not wait for it", async () => {
  using lab = openLab();
  const order: string[] = [];
  const pool = openPool({
    cores: 2,
    memoryMiB: 100,
    gpuLock: `${lab.root}/gpu.lock`,
    signal: new AbortController().signal,
  });
  const take = (name: string, request: Request) =>
    pool.take(request).then((release) => {
      order.push(name);
      return release;
    });
  const small = await take("small", { cores: 1 });
  const large = take("large", { cores: 2 });
  const later = take("later", { cores: 1 });
  await Promise.resolve();
  assert.deepEqual(order, ["small"], "a core is free, but it is the large one's turn");
  small();
  (await large)();
  (await later)();
  assert.deepEqual(order, ["small", "large", "later"]);
  const first = await take("gpu", { gpu: true });
  const second = take("gpu again", { gpu: true });
  (await take("cpu", { cores: 1 }))();
  first();
  (await second)();
  assert.deepEqual(order.slice(3), ["gpu", "cpu", "gpu again"]);
});

Deno.test("stages run beside each other as cores and memory allow, one GPU stage at a time", async () => {
  const tables: unknown[] = [];
  for (const [jobs, memoryMiB] of [[1, 4096], [2, 4096], [8, 4096], [8, 600]] as const) {
    using lab = openLab();
    const running = new Map<string, Resources>();
    let [cores, gpus] = [0, 0];
    const define = (name: string, resources: Resources) =>
      defineStage({
        name,
        module: import.meta.url,
        inputs: {},
        output: "out",
        params: z.object({ n: z.number() }),
        determinism: "bitwise",
        resources,
        run: async ({ out, params }) => {
          const key = `${name} ${params.n}`;
          running.set(key, resources);
          const sum = (of: (resources: Resources) => number) =>
            running.values().reduce((total, each) => total + of(each), 0);
          cores = Math.max(cores, sum((each) => Math.min(jobs, each.cores ?? 1)));
          gpus = Math.max(gpus, sum((each) => each.gpu === true ? 1 : 0));
          assert.ok(sum((each) => each.memoryMiB ?? 0) <= memoryMiB);
          await new Promise((resolve) => setTimeout(resolve, 1));
          running.delete(key);
          out.write("out.txt", key);
        },
      });
    const stages = [
      define("light", {}),
      define("wide", { cores: 2 }),
      define("fat", { memoryMiB: 500 }),
      define("drawn", { gpu: true }),
    ];
    const targets = Object.fromEntries(
      stages.flatMap((stage, index) => [0, 1, 2].map((n) => [`${index}-${n}`, stage({}, { n })])),
    );
    const { trees } = await reproduce(targets, lab.options({ jobs, memoryMiB }));
    assert.ok(cores <= jobs, `${cores} cores of ${jobs}`);
    assert.equal(gpus, GPU);
    tables.push(Object.fromEntries(Object.entries(trees).map(([name, tree]) => [name, tree.entry("out.txt")])));
  }
  for (const table of tables) assert.deepEqual(table, tables[0]);
});

Deno.test("a stage may ask the machine whether it needs the GPU, and waits for it only then", async () => {
  using lab = openLab();
  const ran = Promise.withResolvers<void>();
  const order: string[] = [];
  const define = (
    name: string,
    { gpu, work }: { gpu: NonNullable<Resources["gpu"]>; work?: () => void | Promise<void> },
  ) =>
    defineStage({
      name,
      module: import.meta.url,
      inputs: {},
      output: "out",
      determinism: "bitwise",
      resources: { gpu },
      run: async ({ out }) => {
        await work?.();
        order.push(name);
        out.write("out.txt", name);
      },
    });
  const holder = define("holder", { gpu: true, work: () => ran.promise });
  const needsNone = define("needs-none", { gpu: () => false, work: () => ran.resolve() });
  const needsIt = define("needs-it", { gpu: () => Promise.resolve(true) });
  await reproduce({ a: holder({}), b: needsIt({}), c: needsNone({}) }, lab.options({ jobs: 2 }));
  assert.deepEqual(order, ["needs-none", "holder", "needs-it"]);
});
