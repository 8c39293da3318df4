import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { defineStage, notCode, reproduce, silentReporter } from "@ftim/pipeline";
import { runs } from "../../commands/runs.ts";
import { inProcess, type Outcome } from "./in_process.ts";

const project = fileURLToPath(notCode(new URL("../..", import.meta.url)));

/** A command in this process. */
const quick = (...args: readonly string[]) => inProcess(runs, args);

/** A command in a process of its own, with the permissions of its task. */
async function ftim(...args: readonly string[]): Promise<Outcome> {
  const config: { tasks: Record<string, { command: string }> } = JSON.parse(
    Deno.readTextFileSync(`${project}/deno.json`),
  );
  const permissions = config.tasks[args[0] ?? ""]?.command.match(/--allow-\S+/g) ?? [];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, "main.ts", ...args],
    cwd: project,
    env: { NO_COLOR: "1" },
  }).output();
  const [text, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, text: text ?? "", error: error ?? "" };
}

const table = defineStage({
  name: "table",
  module: import.meta.url,
  inputs: {},
  output: "table",
  params: z.strictObject({ psnr: z.number(), extra: z.boolean().default(false) }),
  determinism: "bitwise",
  run: ({ out, params, log }) => {
    log("a table");
    out.write("table1.txt", `PSNR ${params.psnr}`);
    out.json("metrics.json", { ours: { psnr: params.psnr }, faces: 22 });
    if (params.extra) out.write("extra.txt", "extra");
  },
});

Deno.test("runs, diff and publish: a store's runs are told, compared and published again", async () => {
  const root = Deno.makeTempDirSync();
  try {
    const [store, results] = [`${root}/store`, `${root}/results`];
    const engine = (more = {}) => ({
      store,
      reporter: silentReporter(),
      facts: { adapter: { description: "llvmpipe" } },
      about: { command: "table1", experiment: "embedded", commit: "0123456789", host: "desk", ...more },
    });
    assert.match((await quick("runs", "--store", store)).error, /there is no store at/);
    await reproduce({ table1: table({}, { psnr: 30, extra: true }) }, engine());
    await reproduce({ table1: table({}, { psnr: 31 }) }, engine());
    await reproduce({ other: table({}, { psnr: 31 }) }, engine({ command: "reconstruct" }));

    const listed = await ftim("runs", "--store", store);
    assert.equal(listed.code, 0, listed.error);
    const [head, ...rows] = listed.text.trimEnd().split("\n");
    assert.match(head!, /^run +UTC +took +result +what +computed +commit +machine$/);
    assert.equal(rows.length, 3);
    assert.match(rows[0]!, / done +reconstruct +nothing +0123456 +desk, llvmpipe$/);
    assert.match(
      rows[1]!,
      /^2 +\d{4}-\d\d-\d\d \d\d:\d\d +\S+ s +done +table1 +1 of table +0123456 +desk, llvmpipe$/,
    );
    const records: { id: string }[] = JSON.parse((await quick("runs", "--json", "--store", store)).text);
    const [last, second, first] = records.map(({ id }) => id) as [string, string, string];
    const names = rows.map((row) => row.split(" ")[0]!);

    const one = await quick("runs", names[1]!, "--store", store);
    assert.match(one.text, new RegExp(`^Run ${second}\\n {2}result {3}done in .*: 1 executed, 0 cached\\n`));
    assert.match(one.text, /\ntable +[ ·]*█+.* s +\d+ MB\n[^]*\ntable: a table\n/);

    const diff = await ftim("diff", first, names[1]!, "--store", store);
    assert.equal(diff.code, 0, diff.error);
    assert.match(diff.text, /^table +result: 2 of 2 files changed \(metrics\.json, table1\.txt\); 1 of 3 files gone/);
    assert.match(diff.text, /└ param extra: true → false\n +└ param psnr: 30 → 31\n0 stages are the same\n/);
    assert.match(diff.text, /\nours\.psnr +30 +31 +\+1\n$/);
    assert.match(
      (await quick("diff", second, second, "--store", store)).text,
      /1 stages are the same\n\nno metric moved/,
    );
    const { metrics } = JSON.parse((await quick("diff", first, second, "--json", "--store", store)).text);
    assert.deepEqual(metrics, [{ metric: "ours.psnr", before: 30, after: 31 }]);

    const again = await ftim("publish", first, "--store", store, "--results", results);
    assert.equal(again.code, 0, again.error);
    assert.match(again.text, /^3 files written into .*results\/embedded, as run .* made them\n$/);
    const newer = await quick("publish", second, "--store", store, "--results", results);
    assert.match(newer.text, /^removed .*embedded\/extra\.txt, which table1 made before[^]*2 files written/);
    assert.equal(Deno.readTextFileSync(`${results}/embedded/table1.txt`), "PSNR 31");
    const refused = await quick("publish", last, "--store", store, "--results", results);
    assert.deepEqual([refused.code, /made other, which is no table/.test(refused.error)], [1, true], refused.error);
    assert.match((await quick("diff", "x", "y", "--store", store)).error, /there is no run "x"/);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
