/**
 * The engine's own cost, on trivial stages: `deno task bench:engine [--million] [--peers N] [--table1 OPTIONS…]`.
 * Prints, after start-up: 20 stages over 75 items each, 1,000 whole stages, one stage of 10,000 items; first run,
 * nothing to do, one item changed; hashing on one and two threads, with the bar that each must reach. `--million`:
 * also a million small files. `--peers N`: then N stages and N items under make, DVC and Snakemake, those that are
 * installed. `--table1`, last: also the whole command, with its own options, on a store where all is done.
 */
import { fileURLToPath } from "node:url";
import { comparePeers } from "./pipeline_peers.ts";
import { hashMany } from "../pipeline/hash_many.ts";
import { defineStage, notCode, type Options, reproduce, silentReporter, sourceFolder } from "@ftim/pipeline";
import { z } from "zod";

const step = defineStage({
  name: "step",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "texts",
  each: ["texts"],
  batch: 16,
  params: z.object({ step: z.number() }).strict(),
  determinism: "bitwise",
  run: async ({ items, params }) => {
    for (const { key, inputs, out } of items) {
      out.write(`${key}.txt`, `${await inputs.texts.text(`${key}.txt`)} ${params.step}`);
    }
  },
});
const read = defineStage({
  name: "read",
  module: import.meta.url,
  inputs: { texts: "folder" },
  output: "texts",
  each: ["texts"],
  batch: 16,
  determinism: "bitwise",
  run: async ({ items }) => {
    for (const { key, inputs, out } of items) out.write(`${key}.txt`, await inputs.texts.text(`${key}.txt`));
  },
});
const whole = defineStage({
  name: "whole",
  module: import.meta.url,
  inputs: { text: "folder" },
  output: "text",
  params: z.object({ number: z.number() }).strict(),
  determinism: "bitwise",
  run: ({ out, params }) => out.write("text.txt", `stage ${params.number}`),
});

const root = Deno.makeTempDirSync({ prefix: "bench-" });
const options: Options = { store: `${root}/store`, reporter: silentReporter() };

function sources(name: string, count: number): string {
  const folder = `${root}/${name}`;
  Deno.mkdirSync(folder);
  for (let index = 0; index < count; index++) Deno.writeTextFileSync(`${folder}/${index}.txt`, `text ${index}`);
  return folder;
}

/** A line of the table; without a bar, just the time. */
function print(label: string, { seconds, bar, note }: { seconds: number; bar?: number; note: string }): void {
  const verdict = bar === undefined ? "" : `${seconds <= bar ? "≤" : "ABOVE"} ${bar} s`;
  console.log(`${label.padEnd(40)} ${seconds.toFixed(3).padStart(8)} s  ${verdict.padEnd(12)} ${note}`);
}

async function time(label: string, targets: Parameters<typeof reproduce>[0], bar?: number): Promise<void> {
  const start = performance.now();
  const { summary } = await reproduce(targets, options);
  const seconds = (performance.now() - start) / 1000;
  const note = `${summary.executed} executed, ${summary.cached} cached`;
  print(label, { seconds, note, ...(bar === undefined ? {} : { bar }) });
}

async function stagesAndItems(): Promise<void> {
  const chain = sources("chain", 75);
  let texts = read({ texts: sourceFolder(chain) });
  for (let index = 0; index < 19; index++) texts = step({ texts }, { step: index });
  await time("20 stages × 75 items, first run", { texts });
  await time("20 stages × 75 items, nothing to do", { texts });

  const many = sources("many", 1);
  const stages = Array.from({ length: 1000 }, (_, number) => whole({ text: sourceFolder(many) }, { number }));
  const targets = Object.fromEntries(stages.map((stage, index) => [`${index}`, stage]));
  await time("1,000 stages, first run", targets, 2);
  await time("1,000 stages, nothing to do", targets, 0.3);

  const items = sources("items", 10_000);
  const all = { texts: read({ texts: sourceFolder(items) }) };
  await time("10,000 items, first run", all);
  await time("10,000 items, nothing to do", all, 0.5);
  Deno.writeTextFileSync(`${items}/77.txt`, "changed");
  await time("10,000 items, one changed", all, 1);
}

/** A million files of 64 bytes as the input of one whole stage; each run in a process of its own, for its memory. */
async function millionFiles(): Promise<void> {
  const folder = `${root}/million`;
  for (let index = 0; index < 1_000_000; index++) {
    if (index % 1000 === 0) Deno.mkdirSync(`${folder}/${index / 1000}`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/${Math.floor(index / 1000)}/${index}.txt`, String(index).padEnd(64));
  }
  const self = fileURLToPath(notCode(import.meta.url));
  for (const [label, bar] of [["first run"], ["nothing to do", 8]] as const) {
    // Deno reads what it says of this process only with all permissions
    const args = ["run", "-q", "--no-check", "--allow-all", self];
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), { args: [...args, "--folder", folder] })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const { seconds, executed, peak } = JSON.parse(new TextDecoder().decode(stdout));
    const memory = peak === null
      ? ""
      : `, at most ${peak} MB${bar === undefined ? "" : peak <= 600 ? " ≤ 600" : " ABOVE 600"}`;
    const note = `${executed} executed${memory}`;
    print(`1,000,000 files, ${label}`, { seconds, note, ...(bar === undefined ? {} : { bar }) });
  }
}

/** The child of {@link millionFiles}. */
async function oneFolder(folder: string): Promise<void> {
  const start = performance.now();
  const { summary: { executed } } = await reproduce({ text: whole({ text: sourceFolder(folder) }, { number: 0 }) }, {
    store: `${folder}-store`,
    reporter: silentReporter(),
  });
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, executed, peak: peakMemory() }));
}

/** The most memory that this process has had, in MB; null where the system does not tell. */
function peakMemory(): number | null {
  if (Deno.build.os !== "linux") return null;
  const kiB = /VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return Math.round(Number(kiB) * 1024 / 1e6);
}

/** `deno task table1` as typed in a shell, when all is done: the median of seven. */
async function warmTable(options: readonly string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", "table1", "--log", "json", ...options] });
  const times: number[] = [];
  let executed = 0;
  for (let run = 0; run < 8; run++) {
    const start = performance.now();
    const { success, stderr } = await command.output();
    const text = new TextDecoder().decode(stderr);
    if (!success) throw new Error(text);
    if (run > 0) times.push((performance.now() - start) / 1000);
    const end = text.split("\n").findLast((line) => line.startsWith("{"));
    executed = JSON.parse(end ?? "{}").executed;
  }
  const seconds = times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;
  print("deno task table1, nothing to do", {
    seconds,
    bar: 0.6,
    note: `${executed} executed, shell and start included`,
  });
}

/** 16 files of 64 MiB, on one thread and on two. */
async function hashing(): Promise<void> {
  Deno.mkdirSync(`${root}/large`);
  const block = new Uint8Array(64 << 20);
  const files = Array.from({ length: 16 }, (_, index) => ({ path: `${root}/large/${index}`, size: block.length }));
  files.forEach(({ path }, index) => Deno.writeFileSync(path, block.fill(index)));
  const seconds = { 1: Infinity, 2: Infinity };
  for (let repeat = 0; repeat < 3; repeat++) {
    for (const jobs of [1, 2] as const) {
      const start = performance.now();
      await hashMany(files, { jobs });
      seconds[jobs] = Math.min(seconds[jobs], (performance.now() - start) / 1000);
    }
  }
  const bytes = files.length * block.length;
  print("hashing 1 GiB, one thread", { seconds: seconds[1], bar: Number((bytes / 1e9).toFixed(2)), note: "1 GB/s" });
  print("hashing 1 GiB, two threads", {
    seconds: seconds[2],
    bar: Number((seconds[1] / 1.8).toFixed(3)),
    note: `${(seconds[1] / seconds[2]).toFixed(2)} times one; 1.8 where two cores are free`,
  });
}

/** What follows an option; absent: undefined. */
function after(option: string): readonly string[] | undefined {
  const index = Deno.args.indexOf(option);
  return index === -1 ? undefined : Deno.args.slice(index + 1);
}

const [folder] = after("--folder") ?? [];
try {
  if (folder !== undefined) await oneFolder(folder);
  else {
    await stagesAndItems();
    await hashing();
    if (Deno.args.includes("--million")) await millionFiles();
    const table = after("--table1");
    if (table !== undefined) await warmTable(table);
    const peers = after("--peers");
    if (peers !== undefined) await comparePeers(Number(peers[0] ?? 100));
  }
} finally {
  Deno.removeSync(root, { recursive: true });
}
