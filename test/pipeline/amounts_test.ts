import assert from "node:assert/strict";
import { defineStage, gc, reproduce } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

type Definition = Parameters<typeof defineStage<Record<never, never>, "out">>[0];

function stage(more: Partial<Definition>) {
  return defineStage({
    name: "counted",
    module: import.meta.url,
    inputs: {},
    output: "out",
    determinism: "bitwise",
    run: ({ out }) => out.write("a.txt", "a"),
    ...more,
  });
}

Deno.test("a stage's amounts are refused where they are no such amount, by stage, name and value", () => {
  const cases: readonly (readonly [more: Partial<Definition>, message: RegExp])[] = [
    ...[NaN, Infinity, 0, 1.5, -1].map((batch) => [{ batch }, /stage "counted": its batch must be .*, not /] as const),
    ...[NaN, Infinity, -1].map((cores) => [{ resources: { cores } }, /"counted": its cores must be .*, not /] as const),
    [{ resources: { memoryMiB: NaN } }, /"counted": its memoryMiB must be a number from 0, not NaN/],
    [{ timeLimit: NaN }, /"counted": its time limit must be .*, not NaN/],
    [{ retries: -1 }, /"counted": its retries must be a whole number from 0, not -1/],
  ];
  for (const [more, message] of cases) assert.throws(() => stage(more), { name: "TypeError", message });
  stage({ batch: 3, retries: 1, timeLimit: 1, resources: { cores: 0.5, memoryMiB: 0 } });
});

Deno.test("a run's and a collection's amounts are refused too, and nothing is deleted", async () => {
  using lab = openLab();
  for (const [name, values] of [["jobs", [NaN, 0, -1, 1.5]], ["memoryMiB", [NaN, -1]]] as const) {
    for (const value of values) {
      const message = new RegExp(`"${name}" must be .*, not ${value}$`);
      await assert.rejects(reproduce({ out: stage({})({}) }, lab.options({ [name]: value })), {
        name: "TypeError",
        message,
      });
    }
  }
  await reproduce({ out: stage({})({}) }, lab.options());
  const store = `${lab.root}/store`;
  for (const [name, values] of [["runs", [NaN, -1]], ["graceMs", [NaN, -1]], ["maxBytes", [NaN, -1]]] as const) {
    for (const value of values) {
      const message = new RegExp(`gc: the option "${name}" must be .*, not ${value}$`);
      await assert.rejects(gc({ store, [name]: value }), { name: "TypeError", message });
    }
  }
  assert.equal((await reproduce({ out: stage({})({}) }, lab.options())).summary.executed, 0);
});
