import assert from "node:assert/strict";
import { withinLimit } from "../../../pipeline/limit.ts";
import { reproduce, StageError } from "../../../pipeline/mod.ts";
import { openLab, type PlainDefinition, plainStage } from "../lab.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const fail = (thrown: unknown) => () => {
  throw thrown;
};

Deno.test("whatever is thrown, and from wherever, is a failure of the stage by name", async () => {
  const loop = new Error("loop");
  loop.cause = loop;
  const things: readonly (readonly [thrown: unknown, text: string])[] = [
    [null, "threw null, which is no error"],
    [undefined, "threw undefined, which is no error"],
    [Object.create(null), "threw [Object: null prototype] {}, which is no error"],
    [Symbol("s"), "threw Symbol(s), which is no error"],
    [{ code: 3 }, "threw { code: 3 }, which is no error"],
    ["text", "text"],
    [loop, "loop"],
  ];
  for (const [thrown, text] of things) {
    const thrower = fail(thrown);
    const cases: readonly (readonly [more: Partial<PlainDefinition>, message: string, facts?: () => never])[] = [
      [{ run: thrower }, text],
      [{ open: thrower }, text],
      [{ open: () => {}, close: thrower }, `close: ${text}`],
      [{ resources: { gpu: thrower } }, `the question whether it needs the GPU: ${text}`],
      [{ environment: ["adapter"] }, `it needs the fact "adapter", which was not found out: ${text}`, thrower],
    ];
    for (const [more, message, facts = () => Promise.resolve({})] of cases) {
      using lab = openLab();
      await assert.rejects(reproduce({ out: plainStage(more)({}) }, lab.options({ facts })), (error) => {
        assert.ok(error instanceof StageError, message);
        assert.equal(error.message, `stage "plain": ${message}`);
        return true;
      });
    }
  }
});

Deno.test("a close that does not end is held to the time limit, and to the run's own end", async () => {
  using lab = openLab();
  const close = () => wait(20_000).then(() => {});
  let began = performance.now();
  const limited = plainStage({ timeLimit: 0.1, open: () => {}, close });
  await assert.rejects(reproduce({ out: limited({}) }, lab.options()), {
    message: 'stage "plain": close: ran longer than its limit of 0.1 s',
  });
  assert.ok(performance.now() - began < 5000);
  const stop = new AbortController();
  const endless = plainStage({
    name: "endless",
    resources: { gpu: true },
    open: () => {},
    close: () => (stop.abort(), close()),
  });
  began = performance.now();
  await assert.rejects(reproduce({ out: endless({}) }, lab.options({ signal: stop.signal })), {
    name: "AbortError",
  });
  assert.ok(performance.now() - began < 5000);
  // the GPU is free again
  const next = plainStage({ name: "next", resources: { gpu: true } });
  await wait(300);
  await reproduce({ out: next({}) }, lab.options({ signal: AbortSignal.timeout(4000) }));
});

Deno.test("an open that never ends is held to the time limit, with a close to come after it or without", async () => {
  for (const close of [undefined, () => {}]) {
    using lab = openLab();
    const open = () => new Promise<undefined>(() => {});
    const stuck = plainStage({ timeLimit: 0.1, open, ...(close === undefined ? {} : { close }) });
    await assert.rejects(patiently(() => reproduce({ out: stuck({}) }, lab.options())), {
      message: 'stage "plain": ran longer than its limit of 0.1 s',
    });
  }
});

Deno.test("a GPU that never answers is held to the time limit of the stage, whether that failed or not", async () => {
  using lab = openLab();
  const checkGpu = () => new Promise<void>(() => {});
  const limited = plainStage({ timeLimit: 0.1, resources: { gpu: true } });
  await assert.rejects(patiently(() => reproduce({ out: limited({}) }, lab.options({ checkGpu }))), {
    message: 'stage "plain": the GPU does not come to an end: it ran longer than its limit of 0.1 s',
  });
  const failing = plainStage({ timeLimit: 0.1, resources: { gpu: true }, run: fail(new Error("broken")) });
  await assert.rejects(patiently(() => reproduce({ out: failing({}) }, lab.options({ checkGpu }))), {
    message: /^stage "plain": the GPU does not come to an end: .* it then failed with: broken$/,
  });
});

/** Does some work that may hang, for 10 seconds at most. */
function patiently<T>(work: () => Promise<T>): Promise<T> {
  return withinLimit(work, { seconds: 10, signal: new AbortController().signal });
}
