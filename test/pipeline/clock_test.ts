import assert from "node:assert/strict";
import { openClock } from "../../pipeline/clock.ts";

function hands() {
  let time = 0;
  return { now: () => time * 1000, at: (seconds: number) => void (time = seconds) };
}

Deno.test("a clock counts each moment once: as work while any batch runs, else as the wait that it was", () => {
  const { now, at } = hands();
  at(2);
  const clock = openClock({ origin: 0, now });
  const gpu = clock.enter("gpu");
  at(12);
  gpu();
  const lanes = [clock.enter("cores"), clock.enter("cores")];
  at(15);
  lanes[0]!();
  const work = clock.enter("work");
  at(17);
  lanes[1]!();
  const second = clock.enter("work");
  at(18);
  work();
  work();
  at(20);
  second();
  const others = clock.enter("others");
  at(24);
  others();
  at(30);
  assert.deepEqual(clock.read(), {
    seconds: 5,
    waited: { inputs: 2, gpu: 10, others: 4, cores: 3 },
    spans: [[15, 20]],
  });
});

Deno.test("a clock that is read at work shows it; of many spans the closest fall together", () => {
  const { now, at } = hands();
  const clock = openClock({ origin: 0, now });
  for (let index = 0; index < 1000; index++) {
    at(index);
    const leave = clock.enter("work");
    at(index + (index === 500 ? 0.01 : 0.75));
    leave();
  }
  at(2000);
  clock.enter("work");
  at(2001);
  const { seconds, spans } = clock.read();
  assert.ok(Math.abs(seconds - (999 * 0.75 + 0.01 + 1)) < 1e-6);
  assert.ok(spans.length <= 64, String(spans.length));
  assert.deepEqual(spans.at(-1), [2000, 2001]);
  assert.deepEqual(spans[0]?.[0], 0);
  assert.ok(spans.every(([from, to], index) => from < to && from > (spans[index - 1]?.[1] ?? -1)));
});
