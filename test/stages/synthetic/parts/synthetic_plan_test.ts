import assert from "node:assert/strict";
import { planCaptures } from "../../../../stages/synthetic/parts/synthetic_plan.ts";

const options = {
  persons: ["a", "b", "c"],
  identities: 8,
  expressions: 2,
  identityComponents: 4,
  expressionComponents: 3,
  decoys: 2,
  seed: 5,
};

Deno.test("planCaptures() is a function of its seed", () => {
  assert.deepEqual(planCaptures(options), planCaptures(options));
  assert.notDeepEqual(planCaptures(options), planCaptures({ ...options, seed: 6 }));
});

Deno.test("planCaptures() gives every capture a view in each of the paper's yaw bins", () => {
  const captures = planCaptures(options);
  assert.equal(captures.length, 16);
  for (const { frames } of captures) {
    const yaws = frames.flatMap((frame) => frame.kind === "head" ? [frame.angles.yaw] : []);
    for (const [low, high] of [[-90, -10], [-10, 10], [10, 90]] as const) {
      assert.ok(yaws.some((yaw) => yaw >= low && yaw <= high));
    }
  }
  const all = captures.flatMap(({ frames }) => frames);
  const decoys = all.flatMap((frame) => frame.kind === "decoy" ? [frame.decoy] : []);
  assert.deepEqual([...new Set(decoys)].sort(), [0, 1], "each decoy is shown");
  assert.ok(all.some((frame) => frame.kind === "head" && Math.abs(frame.angles.yaw) > 90), "frames from behind");
});

Deno.test("planCaptures() casts each person alone first, then blends two, in all expressions", () => {
  const captures = planCaptures(options);
  for (const [i, { id, expression, head, code, photograph }] of captures.entries()) {
    const [person, second] = [Math.floor(i / 2), i % 2];
    assert.deepEqual([id, expression, photograph], [person + 1, ["1_neutral", "2_drawn"][second], second]);
    assert.equal(head, captures[2 * person]!.head, "the expressions of one head");
    assert.equal(head.jitter.length, 4);
    assert.equal(code.length, 3);
    assert.equal(code.some((value) => value !== 0), second === 1);
    if (person < 3) {
      assert.deepEqual(head, { persons: [options.persons[person]], share: 1, jitter: [0, 0, 0, 0] });
    } else {
      assert.equal(new Set(head.persons).size, 2);
      assert.ok(head.persons.every((name) => options.persons.includes(name)));
      assert.ok(head.share >= 0.35 && head.share <= 0.65);
      assert.ok(head.jitter.every((value) => value !== 0));
    }
  }
});
