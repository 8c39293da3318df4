import assert from "node:assert/strict";
import { gc, reproduce } from "../../pipeline/mod.ts";
import { openLab, type PlainDefinition, plainStage } from "./lab.ts";

Deno.test("a stage's amounts are refused where they are no such amount, by stage, name and value", () => {
  const cases: readonly (readonly [more: Partial<PlainDefinition>, message: RegExp])[] = [
    ...[NaN, Infinity, 0, 1.5, -1].map((batch) => [{ batch }, /stage "plain": its batch must be .*, not /] as const),
    ...[NaN, Infinity, -1].map((cores) => [{ resources: { cores } }, /"plain": its cores must be .*, not /] as const),
    [{ resources: { memoryMiB: NaN } }, /"plain": its memoryMiB must be a number from 0, not NaN/],
    [{ timeLimit: NaN }, /"plain": its time limit must be .*, not NaN/],
    [{ retries: -1 }, /"plain": its retries must be a whole number from 0, not -1/],
  ];
  for (const [more, message] of cases) assert.throws(() => plainStage(more), { name: "TypeError", message });
  plainStage({ batch: 3, retries: 1, timeLimit: 1, resources: { cores: 0.5, memoryMiB: 0 } });
});

Deno.test("a run's and a collection's amounts are refused too, and nothing is deleted", async () => {
  using lab = openLab();
  for (const [name, values] of [["jobs", [NaN, 0, -1, 1.5]], ["memoryMiB", [NaN, -1]]] as const) {
    for (const value of values) {
      const message = new RegExp(`"${name}" must be .*, not ${value}$`);
      await assert.rejects(reproduce({ out: plainStage({})({}) }, lab.options({ [name]: value })), {
        name: "TypeError",
        message,
      });
    }
  }
  await reproduce({ out: plainStage({})({}) }, lab.options());
  const store = `${lab.root}/store`;
  for (const [name, values] of [["runs", [NaN, -1]], ["graceMs", [NaN, -1]], ["maxBytes", [NaN, -1]]] as const) {
    for (const value of values) {
      const message = new RegExp(`gc: the option "${name}" must be .*, not ${value}$`);
      await assert.rejects(gc({ store, [name]: value }), { name: "TypeError", message });
    }
  }
  assert.equal((await reproduce({ out: plainStage({})({}) }, lab.options())).summary.executed, 0);
});
