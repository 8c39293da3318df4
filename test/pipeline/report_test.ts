import assert from "node:assert/strict";
import {
  duration,
  jsonReporter,
  type PipelineEvent,
  plainReporter,
  type Reporter,
  treeReporter,
} from "../../pipeline/mod.ts";

const count = { total: 40, executed: 5, cached: 35, skipped: 2 };
const events: readonly PipelineEvent[] = [
  { type: "plan", stages: ["import", "old", "train"] },
  { type: "start", stage: "import", total: 40, todo: 5 },
  { type: "items", stage: "import", seconds: 1, ...count, executed: 3 },
  { type: "log", stage: "import", message: "a.jpg has no face" },
  { type: "done", stage: "import", seconds: 2.04, ...count },
  { type: "done", stage: "old", seconds: 0, total: 9, executed: 0, cached: 9, skipped: 0 },
  { type: "warning", message: "low on memory" },
  { type: "wait", stage: "train", items: 1 },
  { type: "failed", stage: "train", message: "no GPU" },
  {
    type: "end",
    status: "failed",
    seconds: 65,
    executed: 5,
    cached: 44,
    skipped: 2,
    stages: {},
    failed: ["train"],
    unfinished: ["a", "b"],
  },
];

function show(make: (write: (text: string) => void) => Reporter): string {
  let text = "";
  const reporter = make((more) => text += more);
  events.forEach(reporter);
  return text;
}

const lines = [
  "import: a.jpg has no face",
  "import: 38 done, 2 skipped (35 kept from before) in 2.0 s",
  "warning: low on memory",
  "train: another run is computing 1 of the same items; waiting for it",
  "train: FAILED: no GPU",
  "failed: 5 executed, 44 cached, 2 skipped, 1m 05s",
  "failed: train; not made: a, b",
];

Deno.test("plain lines: starts, ends, messages; silent about what was cached", () => {
  assert.equal(show((write) => plainReporter(write)), `${lines.join("\n")}\n`);
  assert.match(show((write) => plainReporter(write, { every: 0 })), /^import: 38\/40\n/);
});

Deno.test("what is left is reckoned from the first finished item on: before it a stage waits or compiles", () => {
  let text = "";
  const reporter = plainReporter((more) => text += more, { every: 0 });
  const { now } = Date;
  const at = (seconds: number, executed: number) => {
    Date.now = () => 1000 * seconds;
    reporter({ type: "items", stage: "train", seconds, total: 10, executed, cached: 1, skipped: 0 });
  };
  try {
    Date.now = () => 0;
    reporter({ type: "start", stage: "train", total: 10, todo: 9 });
    at(0, 0);
    at(600, 1);
    at(602, 2);
    at(610, 6);
  } finally {
    Date.now = now;
  }
  assert.deepEqual(text.split("\n"), [
    "train: 1/10",
    "train: 2/10",
    "train: 3/10, 2.0 s each, 14.0 s left",
    "train: 7/10, 2.0 s each, 6.0 s left",
    "",
  ]);
});

Deno.test("JSON lines: every event, with its time", () => {
  const rows = show((write) => jsonReporter(write)).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ time: _, ...event }) => event), events);
  assert.ok(rows.every(({ time }) => Math.abs(Date.parse(time) - Date.now()) < 10_000));
});

Deno.test("the live tree leaves the plain lines behind, colours only where asked", () => {
  const text = show((write) => treeReporter(write, { color: false })).replaceAll("\x1b", "␛");
  // replays what a terminal would show: cursor up and clear to the end
  const screen: string[] = [];
  for (const part of text.split(/(␛\[\d+A␛\[J)/)) {
    const up = /^␛\[(\d+)A/.exec(part)?.[1];
    if (up !== undefined) screen.splice(screen.length - Number(up));
    else screen.push(...part.split("\n").slice(0, -1));
  }
  assert.deepEqual(screen.map((line) => line.replace(/^[✓✗] /, "")), lines);
  assert.ok(show((write) => treeReporter(write)).includes("\x1b[31m✗ \x1b[0mtrain: FAILED"));
});

Deno.test("the time to go: below the running stages on a terminal, seldom in plain lines", () => {
  const { now } = Date;
  let [tree, plain, time] = ["", "", 0];
  Date.now = () => time;
  try {
    const reporters = [
      treeReporter((more) => tree += more, { color: false }),
      plainReporter((more) => plain += more),
    ];
    const tell = (seconds: number, event: PipelineEvent) => {
      time = 1000 * seconds;
      reporters.forEach((reporter) => reporter(event));
    };
    tell(0, { type: "start", stage: "train", total: 1, todo: 1 });
    tell(1, { type: "estimate", seconds: 90 });
    tell(31, { type: "progress", stage: "train", done: 1, total: 2 });
    tell(32, { type: "estimate", seconds: 20 });
    tell(40, { type: "progress", stage: "train", done: 1, total: 2 });
    tell(60, { type: "progress", stage: "train", done: 1, total: 2 });
  } finally {
    Date.now = now;
  }
  const drawn = tree.split("about ").slice(1).map((text) => text.split(" left")[0]);
  assert.deepEqual(drawn, ["1m 30s", "1m 00s", "20 s", "12 s"], "and nothing once it is over");
  assert.equal(plain.match(/about .*\n/g)?.join(""), "about 1m 30s left, by earlier runs\n");
});

Deno.test("durations", () => {
  assert.deepEqual([0.04, 59.94, 65, 3599.6, 3661].map(duration), [
    "0.0 s",
    "59.9 s",
    "1m 05s",
    "1h 00m 00s",
    "1h 01m 01s",
  ]);
});
