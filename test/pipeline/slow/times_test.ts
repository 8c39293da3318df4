import assert from "node:assert/strict";
import { z } from "zod";
import { defineStage, plainReporter, reproduce, type StageReport } from "../../../pipeline/mod.ts";
import { secondsLeft } from "../../../pipeline/estimate.ts";
import { planOf } from "../../../pipeline/plan.ts";
import { latestRuns } from "../../../pipeline/run_record.ts";
import { openLab } from "../lab.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stage that takes so many ms and says so; `gpu` and `items` by parameter. */
function slow(name: string, resources: { gpu?: boolean; cores?: number } = {}) {
  return defineStage({
    name,
    module: import.meta.url,
    inputs: { after: "out?" },
    output: "out",
    params: z.strictObject({ ms: z.number(), salt: z.number().default(0) }),
    determinism: "bitwise",
    resources,
    run: async ({ params, out, log }) => {
      log(`${name} works`);
      await wait(params.ms);
      out.write("a.txt", name);
    },
  });
}

Deno.test("a stage's time is the time that it worked; what it waited for stands apart", async () => {
  using lab = openLab();
  const [one, two] = [slow("one", { gpu: true }), slow("two", { gpu: true })];
  const first = one({}, { ms: 3000 });
  const last = slow("last")({ after: two({}, { ms: 200 }) }, { ms: 100 });
  const { summary, run } = await reproduce({ first, last }, lab.options({ about: { command: "test" } }));
  const { one: a, two: b, last: c } = summary.stages as Record<string, Required<StageReport>>;
  // a busy machine is late, but not by as much as what the stages wait for
  const near = (value: number, expected: number) =>
    assert.ok(value > expected - 0.05 && value < expected + 1.5, `${value} instead of ${expected}`);
  near(a!.seconds, 3);
  near(a!.waited.gpu, 0);
  near(b!.seconds, 0.2);
  near(b!.waited.gpu, 3);
  near(c!.seconds, 0.1);
  near(c!.waited.inputs, 3.2);
  assert.ok([a, b, c].every((each) => each!.peakMemory > 20e6 && each!.peakMemory < 20e9));
  const done = lab.events.flatMap((event) => event.type === "done" && event.stage === "two" ? [event] : [])[0];
  assert.equal(done?.seconds, b!.seconds);
  let text = "";
  plainReporter((more) => text += more)(done!);
  assert.match(text, /^two: done in [01]\.\d s, after waiting [34]\.\d s for the GPU\n$/);
  const [record] = latestRuns(`${lab.root}/store`);
  assert.deepEqual([record?.id, record?.about, record?.summary.stages], [run, { command: "test" }, summary.stages]);
  assert.deepEqual(record?.timeline?.two?.log, ["two works"]);
  const [span] = record?.timeline?.two?.spans ?? [];
  near(span![0], 3);
  near(span![1], 3.2);
  await reproduce({ first, last }, lab.options());
  const [again] = latestRuns(`${lab.root}/store`);
  assert.deepEqual([again?.timeline, again?.summary.stages.two?.seconds], [{}, 0], "what did nothing took no time");
});

Deno.test("the time that a run has to go: nothing on the first run, then by what the stages took", async () => {
  using lab = openLab();
  const stage = slow("stage");
  const estimates = () => lab.events.flatMap((event) => event.type === "estimate" ? [event.seconds] : []);
  await reproduce({ a: stage({}, { ms: 3000 }) }, lab.options());
  assert.deepEqual(estimates(), []);
  await reproduce({ a: stage({}, { ms: 3000, salt: 1 }) }, lab.options());
  const [left = 0] = estimates();
  assert.ok(left > 0.5 && left < 2.9, String(left));
});

Deno.test("the time to go: stages after their inputs, one at a time on the GPU, all work on all cores", async () => {
  const [gpu, cpu, wide] = [slow("gpu", { gpu: true }), slow("cpu"), slow("wide", { cores: 2 })];
  const report = (seconds: number): StageReport => ({ total: 1, executed: 1, cached: 0, skipped: 0, seconds });
  const times: Record<string, number> = { gpu: 10, "gpu-2": 20, cpu: 5, "cpu-2": 7, wide: 40 };
  const left = (
    targets: Parameters<typeof planOf>[0],
    more: { jobs?: number; done?: string[]; stages?: Record<string, StageReport>; unknown?: string } = {},
  ) =>
    secondsLeft(planOf(targets), {
      jobs: more.jobs ?? 2,
      done: new Map((more.done ?? []).map((label) => [label, 1])),
      stages: new Map(Object.entries(more.stages ?? {})),
      earlier: (label) => label === more.unknown ? undefined : report(times[label]!),
    });
  const first = gpu({}, { ms: 1 });
  const chain = cpu({ after: first }, { ms: 1 });
  assert.equal(await left({ chain }), 15);
  const other = gpu({}, { ms: 2 });
  assert.equal(await left({ chain, other }), 30, "one GPU");
  assert.equal(await left({ chain, after: cpu({ after: other }, { ms: 3 }) }), 37, "and what waits for it");
  assert.equal(await left({ chain, wide: wide({}, { ms: 1 }) }), (10 + 5 + 2 * 40) / 2, "two cores");
  assert.equal(await left({ chain, wide: wide({}, { ms: 1 }) }, { jobs: 8 }), 40);
  assert.equal(await left({ chain }, { done: ["gpu"] }), 5);
  assert.equal(await left({ chain }, { stages: { gpu: { ...report(4), executed: 0 } } }), 11);
  assert.equal(await left({ chain }, { unknown: "cpu" }), null);
  assert.equal(await left({ chain }, { unknown: "cpu", done: ["gpu", "cpu"] }), 0);
  const items = { total: 10, executed: 3, cached: 2, skipped: 0, seconds: 1 };
  assert.equal(await left({ chain }, { stages: { gpu: items } }), 55, "10 s each, five to go, and the next stage");
});
