import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The command as a user or a workflow on GitHub would run it. */
async function gate(args: readonly string[], summary: string): Promise<{ code: number; text: string; error: string }> {
  const permissions = ["--allow-read", "--allow-write", "--allow-env"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, "main.ts", "gate", ...args],
    cwd: project,
    env: { GITHUB_STEP_SUMMARY: summary, NO_COLOR: "1" },
  }).output();
  const [text, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, text: text ?? "", error: error ?? "" };
}

Deno.test("gate: the committed metrics pass the baseline; worse ones end with status 1 and a table", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const [summary, metrics, baseline] = ["summary.md", "metrics.json", "baseline.json"].map((n) =>
      `${folder}/${n}`
    ) as [
      string,
      string,
      string,
    ];
    const good = await gate([], summary);
    assert.equal(good.code, 0, good.error);
    assert.match(good.text, /### Metrics: passed[^]*\| ours\.masked\.psnr \|/);
    const committed = await Deno.readTextFile(`${project}/results/embedded/metrics.json`);
    Deno.writeTextFileSync(metrics, committed.replaceAll(/"psnr": ?\d+/g, '"psnr":1'));
    const bad = await gate(["--metrics", metrics], summary);
    assert.equal(bad.code, 1);
    assert.match(bad.text, /### Metrics: FAILED[^]*\| ours\.masked\.psnr \|.*\| worse \|/);
    const written = Deno.readTextFileSync(summary);
    assert.ok(written.includes("### Metrics: passed") && written.includes("### Metrics: FAILED"));
    assert.match(
      (await gate(["--metrics", metrics, "--baseline", baseline, "--update"], summary)).text,
      /[1-9]\d* metrics/,
    );
    assert.equal((await gate(["--metrics", metrics, "--baseline", baseline], summary)).code, 0);
    assert.equal((await gate(["--baseline", baseline], summary)).code, 0, "better is not a failure");
    const before = Deno.readTextFileSync(baseline);
    Deno.writeTextFileSync(metrics, "[]");
    const none = await gate(["--metrics", metrics, "--baseline", baseline, "--update"], summary);
    assert.deepEqual([none.code, Deno.readTextFileSync(baseline)], [1, before]);
    assert.match(none.error, /metrics\.json holds no face/);
    const fewer: { methods: Record<string, { full: { cosine512?: number } }> }[] = JSON.parse(committed);
    for (const { methods } of fewer) for (const { full } of Object.values(methods)) delete full.cosine512;
    Deno.writeTextFileSync(metrics, `\ufeff${JSON.stringify(fewer)}`);
    const update = ["--metrics", metrics, "--baseline", baseline, "--update"];
    const refused = await gate(update, summary);
    assert.deepEqual([refused.code, Deno.readTextFileSync(baseline)], [1, before]);
    assert.match(refused.error, /would drop 5 metrics of the baseline: chen\.full\.cosine512[^]*--drop/);
    assert.equal((await gate([...update, "--drop"], summary)).code, 0);
    assert.ok(!Deno.readTextFileSync(baseline).includes("cosine512"));
    assert.match(
      (await gate(["--metrics", `${folder}/none`], summary)).error,
      /none: no such file; run reproduce first/,
    );
    Deno.writeTextFileSync(metrics, '[{"face": "a"}]');
    assert.match((await gate(["--metrics", metrics], summary)).error, /these are not the metrics of faces/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
