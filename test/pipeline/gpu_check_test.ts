import assert from "node:assert/strict";
import { cast, defineStage, reproduce, type Resources, sourceFolder, StageError, verify } from "../../pipeline/mod.ts";
import { type Lab, openLab, plainStage } from "./lab.ts";

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A stage on the GPU that works on numbers, two at a time; `work` gets the names of a call's items. */
function numbers(
  lab: Lab,
  work: (keys: readonly string[]) => void | Promise<void>,
  gpu: Exclude<Resources["gpu"], undefined> = true,
) {
  lab.put(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.txt`, `${i}`])));
  const stage = defineStage({
    name: "doubled",
    module: import.meta.url,
    inputs: { numbers: "numbers" },
    output: "doubled",
    each: ["numbers"],
    batch: 2,
    determinism: "bitwise",
    resources: { gpu },
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

Deno.test("while the GPU is asked about a call that failed, nothing of what ran beside it is recorded", async () => {
  using lab = openLab();
  const asked = Promise.withResolvers<void>();
  let fail = true;
  const made = numbers(lab, async (keys) => {
    if (fail && keys.includes("2")) throw new Error("validation error occurred");
    if (fail) await asked.promise;
  });
  let asks = 0;
  const checkGpu = async () => {
    // The answer about the call that failed takes longer than all that the other call has still to do.
    if (!fail || asks++ > 0) return;
    asked.resolve();
    await wait(300);
  };
  const options = lab.options({ jobs: 2, checkGpu });
  await assert.rejects(reproduce({ made }, options), /item 2, 3\): validation error occurred/);
  fail = false;
  assert.equal((await reproduce({ made }, options)).summary.executed, 6);
});

Deno.test("where the GPU says that work went wrong, all that was worked on is named", async () => {
  using lab = openLab();
  const failed = Promise.withResolvers<void>();
  const made = numbers(lab, async (keys) => {
    if (keys.includes("0")) await failed.promise;
  });
  const checkGpu = async () => {
    setTimeout(failed.resolve, 50);
    await Promise.reject(new Error("out of memory"));
  };
  await assert.rejects(reproduce({ made }, lab.options({ jobs: 2, checkGpu })), (error) => {
    assert.ok(error instanceof StageError);
    assert.deepEqual(error.items, ["2", "3", "0", "1"]);
    assert.match(error.message, /^stage "doubled" \(item 2, 3, 0, …\): out of memory$/);
    return true;
  });
});

Deno.test("where both calls on the GPU fail, the first is the stage's failure, and the other is told", async () => {
  using lab = openLab();
  const first = Promise.withResolvers<void>();
  const made = numbers(lab, async (keys) => {
    if (keys.includes("0")) {
      await first.promise;
      throw new Error("the cause");
    }
    setTimeout(first.resolve, 50);
    throw new Error("the effect");
  });
  await assert.rejects(reproduce({ made }, lab.options({ jobs: 2 })), /item 2, 3\): the effect/);
  const logs = lab.events.flatMap((event) => event.type === "log" ? [event.message] : []);
  assert.deepEqual(logs, ['this failed, too: stage "doubled" (item 0, 1): the cause']);
});

Deno.test("a check that throws at once is the stage's failure by name", async () => {
  using lab = openLab();
  const checkGpu = () => {
    throw new Error("there is no device to ask");
  };
  await assert.rejects(reproduce({ made: numbers(lab, () => {}) }, lab.options({ checkGpu, jobs: 1 })), {
    name: "StageError",
    message: 'stage "doubled" (item 0, 1): there is no device to ask',
  });
});

Deno.test("a stage is asked once whether it needs the GPU, before it runs", async () => {
  using lab = openLab();
  let asked = 0;
  const made = numbers(lab, () => {}, () => ++asked === 1);
  let checks = 0;
  const checkGpu = () => Promise.resolve(void checks++);
  const { summary } = await reproduce({ made }, lab.options({ checkGpu }));
  assert.deepEqual([summary.executed, asked, checks], [6, 1, 3]);
});

Deno.test("verify leaves the GPU free where a stage's close fails, and reports what failed before that", async () => {
  using lab = openLab();
  let [closeFails, runFails] = [false, false];
  const made = plainStage({
    resources: { gpu: true },
    open: () => {},
    close: () => {
      if (closeFails) throw new Error("cannot close");
    },
    run: ({ out }) => {
      if (runFails) throw new Error("cannot run");
      out.write("a.txt", "a");
    },
  })({});
  await reproduce({ made }, lab.options());
  closeFails = true;
  await assert.rejects(verify({ made }, lab.options()), /stage "plain": close: cannot close/);
  runFails = true;
  const options = () => lab.options({ signal: AbortSignal.timeout(3000) });
  await assert.rejects(verify({ made }, options()), /stage "plain": cannot run/);
  closeFails = runFails = false;
  const { summary } = await reproduce({ made }, { ...options(), force: ["plain"] });
  assert.equal(summary.executed, 1);
});
