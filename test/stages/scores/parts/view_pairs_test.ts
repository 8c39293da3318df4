import assert from "node:assert/strict";
import { viewPairs } from "../../../../stages/scores/parts/view_pairs.ts";

Deno.test("viewPairs gives every ordered pair of a triplet, and a shared one once", () => {
  const triplet = (right: string) => ({
    identity: "7",
    expression: "1_neutral",
    views: ["left", "front", right] as const,
    yaws: [-40, 1, 35] as const,
  });
  const pairs = viewPairs([triplet("right"), triplet("other")]);
  // left-front both ways once; with each right view four more
  assert.equal(pairs.length, 2 + 2 * 4);
  assert.ok(pairs.every(({ from, to }) => from.key !== to.key));
  const yaws: Record<string, number> = { left: -40, front: 1, right: 35, other: 35 };
  for (const { from, to, identity } of pairs) {
    assert.deepEqual([from.yaw, to.yaw, identity], [yaws[from.key], yaws[to.key], "7"]);
  }
  assert.equal(new Set(pairs.map(({ from, to }) => `${from.key} ${to.key}`)).size, pairs.length);
});
