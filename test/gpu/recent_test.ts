import assert from "node:assert/strict";
import { recent } from "../../gpu/recent.ts";

Deno.test("what was asked for lately is kept, what was not is forgotten, and the size is bounded", () => {
  const cache = recent<number>(10);
  for (let i = 0; i < 1000; i++) {
    cache.set(`${i}`, i);
    // This one is asked for all the time.
    assert.equal(cache.get("0"), 0, `after ${i}`);
    assert.ok(cache.size <= 20, `${cache.size}`);
    for (let lately = Math.max(0, i - 8); lately <= i; lately++) assert.equal(cache.get(`${lately}`), lately);
  }
  assert.equal(cache.get("500"), undefined);
});
