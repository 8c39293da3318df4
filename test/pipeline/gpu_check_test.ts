import assert from "node:assert/strict";
import { cast, defineStage, reproduce, sourceFolder, StageError } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

/** A stage on the GPU that works on numbers; `work` gets the names of a call's items. */
function numbers(lab: ReturnType<typeof openLab>, work: (keys: readonly string[]) => void | Promise<void>) {
  lab.put(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.txt`, `${i}`])));
  const stage = defineStage({
    name: "doubled",
    module: import.meta.url,
    inputs: { numbers: "numbers" },
    output: "doubled",
    each: ["numbers"],
    batch: 2,
    determinism: "bitwise",
    resources: { gpu: true },
    run: async ({ items }) => {
      await work(items.map(({ key }) => key));
      for (const { key, inputs, out } of items) {
        out.write(`${key}.txt`, `${2 * Number(await inputs.numbers.text(`${key}.txt`))}`);
      }
    },
  });
  return stage({ numbers: cast(sourceFolder(lab.source), "numbers") });
}

Deno.test("what the GPU says after a call fails the stage, by name and items, and nothing is recorded", async () => {
  using lab = openLab();
  let calls = 0;
  const made = numbers(lab, () => void calls++);
  const refuse = (stage: string) => Promise.reject(new Error(`GPU work failed in ${stage}: out of memory`));
  const options = lab.options({ jobs: 2 });
  const failed = await reproduce({ made }, { ...options, checkGpu: refuse }).then(() => null, (error) => error);
  assert.ok(failed instanceof StageError);
  assert.match(failed.message, /GPU work failed in doubled: out of memory/);
  assert.ok(failed.items.length > 0);
  const before = calls;
  const { summary } = await reproduce({ made }, { ...options, checkGpu: () => Promise.resolve() });
  assert.equal(summary.executed, 6);
  assert.equal(calls - before, 3);
});

Deno.test("what ran on the GPU beside a batch that failed is not recorded", async () => {
  using lab = openLab();
  const second = Promise.withResolvers<void>();
  let fail = true;
  const made = numbers(lab, async (keys) => {
    if (!fail) return;
    // The first batch ends when the second has failed, so that its own check hears of no error.
    if (keys.includes("0")) await second.promise;
  });
  let checks = 0;
  const checkGpu = () => {
    if (!fail || checks++ > 0) return Promise.resolve();
    setTimeout(second.resolve, 50);
    return Promise.reject(new Error("zeros"));
  };
  const options = lab.options({ jobs: 2 });
  await assert.rejects(reproduce({ made }, { ...options, checkGpu }), /zeros/);
  fail = false;
  const { summary } = await reproduce({ made }, { ...options, checkGpu });
  assert.equal(summary.executed, 6);
});

Deno.test("a stage that fails on a GPU that was lost says so first", async () => {
  using lab = openLab();
  const made = numbers(lab, () => {
    throw new Error("validation error occurred");
  });
  const checkGpu = () => Promise.reject(new Error("the device was lost"));
  await assert.rejects(
    reproduce({ made }, { ...lab.options(), checkGpu }),
    /the device was lost; it then failed with: validation error occurred/,
  );
});
