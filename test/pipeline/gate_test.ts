import assert from "node:assert/strict";
import {
  appendStepSummary,
  type Baseline,
  baselineOf,
  flattenMetrics,
  gate,
  gateMarkdown,
  readBaseline,
  writeBaseline,
} from "../../pipeline/mod.ts";

const baseline: Baseline = {
  metrics: {
    "ours.psnr": { value: 30, direction: "higher", atol: 0, rtol: 0.01, from: "two seeds" },
    "ours.l1": { value: 0.1, direction: "lower", atol: 0.01, rtol: 0, from: "chosen" },
    "faces": { value: 22, direction: "equal", atol: 0, rtol: 0, from: "a count" },
  },
};

function verdicts(metrics: Record<string, number>): Record<string, string> {
  return Object.fromEntries(gate(metrics, baseline).rows.map(({ metric, verdict }) => [metric, verdict]));
}

Deno.test("gate: tolerance and direction of each metric decide", () => {
  const same = { "ours.psnr": 30, "ours.l1": 0.1, "faces": 22 };
  const cases: [Record<string, number>, string, string][] = [
    [{ ...same, "ours.psnr": 29.71 }, "ours.psnr", "ok"],
    [{ ...same, "ours.psnr": 29.69 }, "ours.psnr", "worse"],
    [{ ...same, "ours.psnr": 30.31 }, "ours.psnr", "better"],
    [{ ...same, "ours.psnr": NaN }, "ours.psnr", "not a number"],
    [{ ...same, "ours.l1": -Infinity }, "ours.l1", "not a number"],
    [{ ...same, "ours.l1": 0.1099 }, "ours.l1", "ok"],
    [{ ...same, "ours.l1": 0.1101 }, "ours.l1", "worse"],
    [{ ...same, "ours.l1": 0.0899 }, "ours.l1", "better"],
    [{ ...same, "faces": 23 }, "faces", "worse"],
    [{ ...same, "faces": 21 }, "faces", "worse"],
    [{ ...same, "extra": 1 }, "extra", "new"],
    [{ ...same, "extra": NaN }, "extra", "not a number"],
    [{ ...same, "extra": Infinity }, "extra", "not a number"],
    [{ ...same, "constructor": 1 }, "constructor", "new"],
    [{ "ours.psnr": 30, "ours.l1": 0.1 }, "faces", "missing"],
  ];
  for (const [metrics, name, verdict] of cases) {
    assert.equal(verdicts(metrics)[name], verdict, JSON.stringify(metrics));
    assert.equal(gate(metrics, baseline).passed, ["ok", "better", "new"].includes(verdict), JSON.stringify(metrics));
  }
  const broken: Baseline = { metrics: { ...baseline.metrics, faces: { ...baseline.metrics.faces!, value: NaN } } };
  const { passed, rows } = gate(same, broken);
  assert.deepEqual([passed, rows.find(({ metric }) => metric === "faces")?.verdict], [false, "not a number"]);
  assert.match(gateMarkdown({ passed, rows }), /\| faces \| NaN \| 22 \| .*\| not a number \|/);
  assert.ok(gate(same, baseline).passed);
});

Deno.test("gate: a baseline without a name in common is an error that names both, not a pass", () => {
  const other = { "ours.psnr.old": 30, a: 1, b: 2, c: 3 };
  assert.throws(
    () => gate(other, baseline),
    /\(4: ours\.psnr\.old, a, b, …\) and the baseline \(3: ours\.psnr, ours\.l1, faces\) have no name in common/,
  );
  assert.throws(() => gate(other, { metrics: {} }), /the baseline \(none\) have no name in common/);
  assert.throws(() => gate({}, baseline), /the metrics \(none\) and/);
  assert.ok(
    !gate({ ...other, faces: 22 }, baseline).passed,
    "one name in common is a comparison, in which others are missing",
  );
});

Deno.test("gate: metrics are the numbers of a JSON value, by path", () => {
  const value = { ours: { psnr: 30, note: "text" }, list: [1, { x: 2 }], none: null };
  assert.deepEqual(flattenMetrics(value), { "ours.psnr": 30, "list.0": 1, "list.1.x": 2 });
  const proto: unknown = JSON.parse('{"__proto__": {"x": 1}, "y": 2}');
  assert.deepEqual(Object.entries(flattenMetrics(proto)), [["__proto__.x", 1], ["y", 2]]);
});

Deno.test("gate: two metrics that come to one name are refused by that name", () => {
  for (const value of [{ a: { b: 1 }, "a.b": 2 }, { "a.b": 2, a: { b: 1 } }, { x: { "": { y: 1 } }, "x..y": 2 }]) {
    assert.throws(() => flattenMetrics(value), /two metrics are named "(a\.b|x\.\.y)"/, JSON.stringify(value));
  }
});

Deno.test("gate: an update keeps the rules, gives new metrics theirs, and can be read back", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = `${folder}/baseline.json`;
    const rules = { ".cosine": { direction: "higher", atol: 0.001, rtol: 0, from: "rounding" } } as const;
    const fewer = { "ours.psnr": 31, "ours.cosine": 0.9, "z": 1 };
    assert.throws(
      () => baselineOf(fewer, { earlier: baseline, rules }),
      /this would drop 2 metrics of the baseline: ours\.l1, faces/,
    );
    const next = baselineOf(fewer, { earlier: baseline, rules, drop: true });
    writeBaseline(path, next);
    assert.deepEqual(readBaseline(path), next);
    assert.deepEqual(next.metrics, {
      "ours.cosine": { value: 0.9, direction: "higher", atol: 0.001, rtol: 0, from: "rounding" },
      "ours.psnr": { value: 31, direction: "higher", atol: 0, rtol: 0.01, from: "two seeds" },
      "z": { value: 1, direction: "equal", atol: 0, rtol: 0.01, from: "1 %: no rule has this metric's name" },
    });
    assert.throws(() => baselineOf({ x: NaN }), /x is NaN/);
    assert.throws(() => readBaseline(`${folder}/missing.json`), /no such file; write one with --update/);
    for (
      const [text, message] of [
        ["{", /is not JSON/],
        ["", /is not JSON/],
        ...["{}", "null", "[]", "3", '{"metrics":null}', '{"metrics":[]}', '{"metrics":"x"}'].map((text) =>
          [text, /baseline\.json: has no "metrics", an object/] as const
        ),
        ['{"metrics":{"a":{"value":1}}}', /baseline\.json: a needs value/],
        ['{"metrics":{"a":null}}', /a needs value/],
        ['{"metrics":{"a":{"value":null,"atol":0,"rtol":0,"direction":"equal"}}}', /a needs value/],
        ['{"metrics":{"a":{"value":1e999,"atol":0,"rtol":0,"direction":"equal"}}}', /a needs value/],
        ['{"metrics":{"a":{"value":1,"atol":-1,"rtol":0,"direction":"equal"}}}', /a needs value/],
        ['{"metrics":{"a":{"value":1,"atol":0,"rtol":0,"direction":"equal"}}}', /a needs "from", a text that says/],
        ['{"metrics":{"a":{"value":1,"atol":0,"rtol":0,"direction":"equal","from":" "}}}', /a needs "from"/],
      ] as const
    ) {
      Deno.writeTextFileSync(path, text);
      assert.throws(() => readBaseline(path), message, text);
    }
    Deno.writeTextFileSync(path, `\ufeff${JSON.stringify(next)}`);
    assert.deepEqual(readBaseline(path), next, "a byte order mark is no part of the text");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("gate: the table shows what failed first and goes to the step summary", () => {
  const markdown = gateMarkdown(gate({ "ours.psnr": 31, "ours.l1": 0.2, "faces": 22 }, baseline));
  assert.match(markdown, /### Metrics: FAILED/);
  assert.match(markdown, /1 of 3 within tolerance/);
  assert.match(markdown, /\| ours\.l1 \| 0\.1 \| 0\.2 \| \+0\.1 \| ±0\.01 \| lower \| worse \|\n\| ours\.psnr \|/);
  assert.match(markdown, /\n\| ours\.psnr \| 30 \| 31 \| \+1 \| ±0\.3 \|/);
  const path = Deno.makeTempFileSync();
  assert.ok(appendStepSummary(markdown, path));
  assert.ok(appendStepSummary("more", path));
  assert.equal(Deno.readTextFileSync(path), `${markdown}\nmore\n`);
  assert.ok(!appendStepSummary("x", ""));
  Deno.removeSync(path);
});
