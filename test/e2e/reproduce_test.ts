/**
 * A small reproduction from end to end, as a user would run it: `main.ts reproduce` on packaged photographs, every
 * stage for real, with few heads, and just as many steps as show that the network learns. Slow (minutes), so it has a
 * task of its own: `deno task e2e`. Where its metrics changed on purpose:
 * `deno task reproduce --identities 5 --triplets 6 --steps 36 --store S --results R`, then
 * `deno task gate --results R --baseline results/baseline-e2e.json --update`.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runTask } from "./task.ts";

const small = ["--identities", "5", "--triplets", "6", "--steps", "36"];
/** Added where it does not matter what was learned. The option that comes last counts. */
const quick = ["--steps", "6"];
/**
 * What training must add to the first guess, in dB, on revealed pixels and on unseen texels: less than half of what
 * it adds. A network that learns nothing is the guess.
 */
const LEAST_GAIN = { "gain.novel.revealed_psnr": 0.12, "gain.uv.known_psnr": 0.12 };
/** What a reproduction may take of memory, in bytes. More faces take next to no more: stages work through batches. */
const MOST_MEMORY = 2.5e9;
const root = await Deno.makeTempDir({ prefix: "ftim-e2e-" });
const main = new URL("../../main.ts", import.meta.url).pathname;

interface End {
  status: string;
  executed: number;
  cached: number;
  seconds: number;
}

/** Runs a command to its end and returns what it said; throws where it failed. */
async function run(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, main, ...args],
    stdin: "null",
  })
    .output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes)) as [
    string,
    string,
  ];
  assert.equal(output.code, 0, `${args[0]} ended with ${output.code}:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
  return { stdout, stderr };
}

/** Runs a command of the experiment; its events are JSON lines on standard error. */
async function ftim(command: string, options: readonly string[]): Promise<{ end: End; stdout: string }> {
  const { stdout, stderr } = await run([command, ...small, "--log", "json", ...options]);
  return ended(stdout, stderr);
}

/** The last event of a run that reported in JSON, and what it printed. */
function ended(stdout: string, stderr: string): { end: End; stdout: string } {
  const events = stderr.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return { end: events.findLast(({ type }) => type === "end"), stdout };
}

const permissions = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-net",
  "--allow-sys",
  "--allow-ffi",
  "--allow-run=deno",
];
const [first, second] = [join(root, "first"), join(root, "second")];

Deno.test("a cold reproduce ends with Table 1 of six methods and every result file", async () => {
  const places = ["--store", join(root, "store"), "--results", first];
  const ran = await runTask("reproduce", [...small, "--log", "json", ...places], { every: 500 });
  assert.equal(ran.code, 0, ran.err.slice(-4000));
  const { end, stdout } = ended(ran.out, ran.err);
  assert.ok(ran.peak < MOST_MEMORY, `it took ${ran.peak / 1e9} GB of memory`);
  assert.equal(end.status, "done");
  assert.ok(end.executed > 100);
  for (const method of ["DECA", "Chen", "Deng", "Tran", "FTIM as printed", "(ours)"]) {
    assert.ok(stdout.includes(method), method);
  }
  const named = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const files = [...named(join(first, "embedded")), ...named(join(first, "embedded", "full"))];
  for (
    const name of [
      "table1.csv",
      "table1.md",
      "table1.tex",
      "metrics.csv",
      "figure1.svg",
      "figure1.webp",
      "figure2.svg",
      "figure2.webp",
      "figure3.png",
      "figure3.webp",
      "one_face.webp",
      "filter_report.md",
      "novel_views.md",
      "revealed_gap.md",
      "lpips.md",
      "lpips_margins.md",
      "lpips_gap.md",
      "uv_truth.md",
      "novel_views_margins.md",
      "printed_margins.md",
      "uv_truth_margins.md",
      "view_metrics.json",
      "real_views.md",
      "real_views_persons.md",
      "real_metrics.json",
      "fairness.md",
      "training.svg",
      "training.webp",
      "yaw.png",
      "report.html",
      "losses.csv",
      "triplets.csv",
      "calibration.json",
      "ro-crate-metadata.json.gz",
    ]
  ) assert.ok(files.includes(name), `${name} is missing among ${files}`);
  const metrics = await Deno.readTextFile(join(first, "embedded", "metrics.csv"));
  assert.equal(new Set(metrics.match(/test\/sample\d\/\d/g)).size, 22, "all 22 test faces are measured");
});

Deno.test("the metrics are those of the committed small run, as far as another adapter may differ", async () => {
  const baseline = new URL("../../results/baseline-e2e.json", import.meta.url).pathname;
  // for the log of the continuous integration; its step summary gets the same table
  console.log((await run(["gate", "--results", first, "--baseline", baseline])).stdout);
});

Deno.test("training adds to the first guess in other views and against true textures", async () => {
  const metrics = JSON.parse(await Deno.readTextFile(join(first, "embedded", "view_metrics.json")));
  for (const [name, least] of Object.entries(LEAST_GAIN)) {
    assert.ok(metrics[name] > least, `${name} is ${metrics[name]}, and should be more than ${least}`);
  }
});

Deno.test("a result says how it was made, and rerunning its stages makes it again", async () => {
  const store = ["--store", join(root, "store")];
  const { stdout } = await run(["provenance", join(first, "embedded", "table1.csv"), ...store]);
  for (const stage of ["table1", "metrics", "train", "triplets", "fetch"]) {
    assert.match(stdout, new RegExp(`^${stage} `, "m"));
  }
  await run(["verify", "--stages", "align,triplets,table1", "--items", "2", ...small, ...store]);
  await run(["fsck", ...store]);
});

Deno.test("an item has the same bits alone as among the others of its batch", async () => {
  const stages = ["mesh", "unwrap", "regress", "guess", "compare_chen", "compare_deng", "compare_tran", "reconstruct"];
  const one = ["--stages", stages.join(), "--items", "1"];
  const { stdout } = await run(["verify", ...one, ...small, "--store", join(root, "store")]);
  for (const stage of stages) assert.match(stdout, new RegExp(`^${stage} +same, 1 run again$`, "m"));
});

Deno.test("a second reproduce runs nothing", async () => {
  const { end } = await ftim("reproduce", ["--store", join(root, "store"), "--results", first]);
  assert.equal(end.executed, 0);
});

Deno.test("results that were pushed to a folder and pulled into an empty store are not computed again", async () => {
  const [shared, third] = [join(root, "shared"), join(root, "third")];
  const other = ["--store", join(root, "store-3"), "--results", third];
  await run(["push", shared, "--store", join(root, "store")]);
  await run(["pull", shared, ...small, ...other]);
  const { end } = await ftim("reproduce", other);
  assert.equal(end.executed, 0);
  const table = (folder: string) => Deno.readFile(join(folder, "embedded", "table1.csv"));
  assert.deepEqual(await table(third), await table(first));
});

Deno.test("another parameter of the training reruns the training and what follows, and nothing before", async () => {
  const { end } = await ftim("table1", ["--store", join(root, "store"), "--results", first, "--seed", "2", ...quick]);
  // Three trainings, three methods on 22 faces, their measurements, the table.
  assert.equal(end.executed, 3 + 3 * 22 + 3 * 22 + 1);
});

Deno.test("a second cold run gives the same Table 1, byte for byte", async () => {
  await ftim("table1", ["--store", join(root, "store-2"), "--results", second, ...quick]);
  await ftim("table1", ["--store", join(root, "store"), "--results", first, ...quick]);
  const table = (folder: string) => Deno.readFile(join(folder, "embedded", "table1.csv"));
  assert.deepEqual(await table(second), await table(first));
  await Deno.remove(root, { recursive: true });
});
