import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Baseline } from "@ftim/pipeline";
import { gate as addGate } from "../../commands/gate.ts";
import { METHODS } from "../../stages/scores/parts/methods.ts";
import { inProcess, type Outcome } from "./in_process.ts";

/** An entry of a baseline. */
type Rule = Baseline["metrics"][string];

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The command as a user or a workflow on GitHub runs it, in a process of its own. */
async function spawned(args: readonly string[], summary: string): Promise<Outcome> {
  const permissions = ["--allow-read", "--allow-write", "--allow-env"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, "main.ts", "gate", ...args],
    cwd: project,
    env: { GITHUB_STEP_SUMMARY: summary, NO_COLOR: "1" },
  }).output();
  const [text, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, text: text ?? "", error: error ?? "" };
}

const SUMMARY = "GITHUB_STEP_SUMMARY";

/** The command in this process. */
async function gate(args: readonly string[], summary: string): Promise<Outcome> {
  const before = Deno.env.get(SUMMARY);
  Deno.env.set(SUMMARY, summary);
  try {
    return await inProcess(addGate, ["gate", ...args]);
  } finally {
    if (before === undefined) Deno.env.delete(SUMMARY);
    else Deno.env.set(SUMMARY, before);
  }
}

/** Published metrics of one face, every PSNR as given, and what training adds in other views. */
function results(
  { psnr = 30, gain = 0.5, small = 0.004 }: { psnr?: number | null; gain?: number | null; small?: number } = {},
) {
  const masked = { l1: 0.01, psnr, ssim: 0.9, cosine: 0.9 };
  const regions = { masked, full: { ...masked, cosine512: 0.8 } };
  const methods = Object.fromEntries(METHODS.map((method) => [method, structuredClone(regions)]));
  const faces = [{ face: "a/0", maskShare: 0.4, methods }];
  const views = {
    "novel.pairs": 6,
    "novel.ours.revealed_psnr": gain === null ? null : 25 + gain,
    "gain.novel.revealed_psnr": gain,
    "gain.novel.revealed_ssim": small,
    "gain.uv.known_psnr": 0.6,
  };
  return { faces, views };
}

/** Writes results as `reproduce` publishes them; gives the path of `metrics.json`. */
function publish(folder: string, { faces, views }: { faces: unknown; views?: unknown }): string {
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(`${folder}/metrics.json`, JSON.stringify(faces));
  if (views !== undefined) Deno.writeTextFileSync(`${folder}/view_metrics.json`, JSON.stringify(views));
  return `${folder}/metrics.json`;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await use(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("gate: the committed metrics pass the committed baseline", () =>
  withFolder(async (folder) => {
    const good = await spawned([], `${folder}/summary.md`);
    assert.equal(good.code, 0, good.error);
    assert.match(good.text, /### Metrics: passed[^]*\| ours\.masked\.psnr \|/);
  }));

Deno.test("gate: worse metrics end with status 1 and a table, which the step's summary gets too", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    const good = publish(`${folder}/good`, results());
    const bad = publish(`${folder}/bad`, results({ psnr: 20 }));
    const run = (metrics: string, ...more: string[]) =>
      spawned(["--metrics", metrics, "--baseline", baseline, ...more], summary);
    assert.match((await run(good, "--update")).text, /[1-9]\d* metrics/);
    assert.equal((await run(good)).code, 0);
    const worse = await run(bad);
    assert.equal(worse.code, 1);
    assert.match(worse.text, /### Metrics: FAILED[^]*\| ours\.masked\.psnr \|.*\| worse \|/);
    const written = Deno.readTextFileSync(summary);
    assert.ok(written.includes("### Metrics: passed") && written.includes("### Metrics: FAILED"));
    const nothing = await run(`${folder}/nothing`);
    assert.deepEqual([nothing.code, nothing.text], [1, ""]);
    assert.match(nothing.error, /nothing: no such file; run reproduce first/);
    await gate(["--metrics", bad, "--baseline", baseline, "--update"], summary);
    const better = await gate(["--metrics", good, "--baseline", baseline], summary);
    assert.equal(better.code, 0, "better is not a failure");
  }));

Deno.test("gate: a network that learns nothing fails, and can be no baseline", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    const good = publish(`${folder}/good`, results());
    const idle = publish(`${folder}/idle`, results({ gain: 0 }));
    const broken = publish(`${folder}/broken`, results({ gain: null }));
    const alone = publish(`${folder}/alone`, { faces: results().faces });
    const run = (metrics: string, ...more: string[]) =>
      gate(["--metrics", metrics, "--baseline", baseline, ...more], summary);
    await run(good, "--update");
    for (
      const [metrics, verdict, others] of [[idle, "worse", "ok"], [broken, "not a number", "ok"], [
        alone,
        "missing",
        "missing",
      ]] as const
    ) {
      const { code, text } = await run(metrics);
      assert.equal(code, 1);
      assert.match(text, new RegExp(`\\| gain\\.novel\\.revealed_psnr \\|.*\\| ${verdict} \\|`));
      assert.match(text, new RegExp(`\\| gain\\.uv\\.known_psnr \\|.*\\| ${others} \\|`));
    }
    const before = Deno.readTextFileSync(baseline);
    const refused = await run(idle, "--update");
    assert.deepEqual([refused.code, Deno.readTextFileSync(baseline)], [1, before]);
    assert.match(
      refused.error,
      /gain\.novel\.revealed_psnr is 0 with a tolerance of 0\.1: a network that learns nothing/,
    );
  }));

Deno.test("gate: three quarters of each gain may be lost at most, with or without a spread", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    const good = publish(`${folder}/good`, results());
    const run = (metrics: string, ...more: string[]) =>
      gate(["--metrics", metrics, "--baseline", baseline, ...more], summary);
    await run(good, "--update");
    const { metrics } = JSON.parse(Deno.readTextFileSync(baseline)) as { metrics: Record<string, Rule> };
    assert.equal(metrics["gain.novel.revealed_ssim"]!.atol, 0.75 * 0.004);
    for (const [name, { atol, rtol, value, from }] of Object.entries(metrics)) {
      assert.notEqual(from, "", name);
      if (name.startsWith("gain.")) assert.ok(atol + rtol * value <= 0.75 * value, name);
    }
    const idle = await run(publish(`${folder}/idle`, results({ small: 0 })));
    assert.equal(idle.code, 1);
    assert.match(idle.text, /\| gain\.novel\.revealed_ssim \| 0\.004 \| 0 \|.*\| worse \|/);
    assert.equal((await run(publish(`${folder}/less`, results({ small: 0.0015 })))).code, 0);
    const none = publish(`${folder}/none`, results({ small: -0.001 }));
    assert.equal((await run(none, "--update")).code, 0, "where there is no gain none can be lost");
  }));

Deno.test("gate: the committed baselines limit every gain, and say where each tolerance comes from", async () => {
  for (const name of ["baseline.json", "baseline-e2e.json"]) {
    const text = await Deno.readTextFile(`${project}/results/${name}`);
    const { metrics } = JSON.parse(text) as { metrics: Record<string, Rule> };
    const gains = Object.entries(metrics).filter(([metric]) => metric.startsWith("gain."));
    assert.ok(gains.length >= 5, name);
    for (const [metric, { atol, rtol, value }] of gains) assert.ok(atol + rtol * value < value, `${name}: ${metric}`);
    for (const [metric, { from }] of Object.entries(metrics)) assert.ok(from.length > 5, `${name}: ${metric}`);
  }
});

Deno.test("gate: every column of the published seeds.csv gives a tolerance", () =>
  withFolder(async (folder) => {
    const [summary, baseline, seeds] = [`${folder}/summary.md`, `${folder}/b.json`, "results/embedded/seeds.csv"];
    const made = await gate(["--baseline", baseline, "--update", "--spread", seeds], summary);
    assert.equal(made.code, 0, made.error);
    const rules = Object.values<Rule>(JSON.parse(Deno.readTextFileSync(baseline)).metrics);
    assert.ok(rules.filter(({ from }) => from.includes("the standard deviation over")).length >= 10);
  }));

Deno.test("gate: a PSNR that is missing where pictures differ is a failure by name", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    await gate(["--metrics", publish(`${folder}/good`, results()), "--baseline", baseline, "--update"], summary);
    const broken = publish(`${folder}/broken`, results({ psnr: null }));
    const { code, text } = await gate(["--metrics", broken, "--baseline", baseline], summary);
    assert.equal(code, 1);
    assert.match(text, /\| ours\.masked\.psnr \| 30 \| NaN \|.*\| not a number \|/);
  }));

Deno.test("gate: one more run may excuse what is worse by chance, and the table tells both results", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    const good = publish(`${folder}/good`, results());
    const bad = publish(`${folder}/bad`, results({ gain: 0.2 }));
    const worse = publish(`${folder}/worse`, results({ gain: 0.1 }));
    const broken = publish(`${folder}/broken`, results({ gain: null }));
    await gate(["--metrics", good, "--baseline", baseline, "--update"], summary);
    const twice = (metrics: string, confirm: string) =>
      gate(["--metrics", metrics, "--confirm", confirm, "--baseline", baseline], summary);
    const excused = await twice(bad, good);
    assert.equal(excused.code, 0, excused.error);
    assert.match(excused.text, /\| gain\.novel\.revealed_psnr \| 0\.5 \| 0\.2 \| 0\.5 \|.*\| unconfirmed \|/);
    const confirmed = await twice(bad, worse);
    assert.equal(confirmed.code, 1);
    assert.match(confirmed.text, /\| gain\.novel\.revealed_psnr \| 0\.5 \| 0\.2 \| 0\.1 \|.*\| worse \|/);
    assert.match((await twice(good, broken)).text, /FAILED[^]*\| gain\.novel\.revealed_psnr \|.*\| not a number \|/);
    assert.match((await twice(broken, good)).text, /FAILED[^]*\| gain\.novel\.revealed_psnr \|.*\| not a number \|/);
    const same = await twice(bad, bad);
    assert.equal(same.code, 1);
    assert.match(same.error, /holds the numbers of .*another seed/);
    assert.match((await twice(bad, `${folder}/none`)).error, /none: no such file/);
    const both = await gate(["--metrics", bad, "--confirm", good, "--baseline", baseline, "--update"], summary);
    assert.match(both.error, /--update makes a baseline of one run/);
  }));

Deno.test("gate: tolerances come from the spread over seeds, and the baseline says so", () =>
  withFolder(async (folder) => {
    const [summary, baseline, seeds] = [`${folder}/summary.md`, `${folder}/baseline.json`, `${folder}/seeds.csv`];
    const good = publish(`${folder}/good`, results());
    const update = (...more: string[]) =>
      gate(["--metrics", good, "--baseline", baseline, "--update", ...more], summary);
    const row = (label: string, psnr: string, revealed: string) => `${label},${psnr},${revealed}`;
    const write = (psnr: string, revealed: string) =>
      Deno.writeTextFileSync(
        seeds,
        [
          row("row", "psnr", "revealed_psnr"),
          row("training 1", "30", "25"),
          row("training 2", "31", "25"),
          row("mean", "30.5", "25"),
          row("standard deviation", psnr, revealed),
        ].join("\n") + "\n",
      );
    await update();
    write("0.2", "0.001");
    assert.equal((await update("--spread", seeds)).code, 0);
    const { metrics } = JSON.parse(Deno.readTextFileSync(baseline));
    assert.equal(metrics["ours.masked.psnr"].atol, 0.8);
    assert.equal(metrics["ours.masked.psnr"].from, "4 × 0.2, the standard deviation over 2 seeds");
    assert.equal(metrics["gain.novel.revealed_psnr"].atol, 0.05, "another adapter rounds otherwise");
    assert.equal(metrics["deca.masked.psnr"].atol, 0.5, "what is not trained has no spread");
    await update();
    assert.equal(JSON.parse(Deno.readTextFileSync(baseline)).metrics["ours.masked.psnr"].atol, 0.8, "rules are kept");
    write("0.2", "0.2");
    assert.equal((await update("--spread", seeds)).code, 0);
    const gain = JSON.parse(Deno.readTextFileSync(baseline)).metrics["gain.novel.revealed_psnr"];
    assert.equal(gain.atol, 0.75 * 0.5, "a network that learns nothing loses the whole gain");
    const limited = "0.75 of a gain of 0.5, the most that may be lost (without this limit: 4 × 0.2, " +
      "the standard deviation over 2 seeds)";
    assert.equal(gain.from, limited);
    await update();
    const kept = JSON.parse(Deno.readTextFileSync(baseline)).metrics["gain.novel.revealed_psnr"];
    assert.deepEqual([kept.atol, kept.from], [gain.atol, limited], "said once");
    Deno.writeTextFileSync(seeds, "row,psnr,colour,novel_ssim\ntraining 1,1,1,1\nstandard deviation,1,1,1\n");
    const strange = await update("--spread", seeds);
    assert.equal(strange.code, 1);
    assert.match(strange.error, /seeds\.csv: no metric has the spread of its column colour, novel_ssim: name/);
    write("", "");
    assert.match((await update("--spread", seeds)).error, /one training has no spread, so use --seeds 2/);
    write("many", "0.1");
    assert.match((await update("--spread", seeds)).error, /standard deviation of psnr is "many"/);
    Deno.writeTextFileSync(seeds, "nothing");
    assert.match((await update("--spread", seeds)).error, /it is no seeds\.csv/);
    assert.match((await update("--spread", `${folder}/none`)).error, /none: no such file; run reproduce --seeds 2/);
    assert.match((await gate(["--metrics", good, "--spread", seeds], summary)).error, /--spread is of --update alone/);
  }));

Deno.test("gate: malformed metrics, and an update that would drop some, are refused", () =>
  withFolder(async (folder) => {
    const [summary, baseline] = [`${folder}/summary.md`, `${folder}/baseline.json`];
    const good = publish(`${folder}/good`, results());
    await gate(["--metrics", good, "--baseline", baseline, "--update"], summary);
    const before = Deno.readTextFileSync(baseline);
    const run = (metrics: string, ...more: string[]) =>
      gate(["--metrics", metrics, "--baseline", baseline, ...more], summary);
    const none = await run(publish(`${folder}/none`, { faces: [] }), "--update");
    assert.deepEqual([none.code, Deno.readTextFileSync(baseline)], [1, before]);
    assert.match(none.error, /metrics\.json holds no face/);
    const { faces, views } = results();
    const fewer = faces.map(({ methods, ...face }) => ({
      ...face,
      methods: Object.fromEntries(
        Object.entries(methods).map(([method, { masked, full: { cosine512: _, ...full } }]) => [method, {
          masked,
          full,
        }]),
      ),
    }));
    const lacking = publish(`${folder}/lacking`, { faces: fewer, views });
    Deno.writeTextFileSync(lacking, `\ufeff${JSON.stringify(fewer)}`);
    const refused = await run(lacking, "--update");
    assert.deepEqual([refused.code, Deno.readTextFileSync(baseline)], [1, before]);
    assert.match(refused.error, /would drop 6 metrics of the baseline: chen\.full\.cosine512[^]*--drop/);
    assert.equal((await run(lacking, "--update", "--drop")).code, 0);
    assert.ok(!Deno.readTextFileSync(baseline).includes("cosine512"));
    assert.match((await run(`${folder}/absent`)).error, /absent: no such file; run reproduce first/);
    assert.match(
      (await run(publish(`${folder}/strange`, { faces: [{ face: "a" }] }))).error,
      /not the metrics of faces/,
    );
    const broken = publish(`${folder}/broken`, { faces, views: { "gain.uv.known_psnr": "much" } });
    assert.match((await run(broken)).error, /view_metrics\.json: these are not means by name/);
  }));
