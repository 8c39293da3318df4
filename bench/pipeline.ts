/**
 * The engine's own cost, on trivial stages: `deno task bench:engine [--million] [--peers N]`.
 * Prints, after start-up: 20 stages over 75 items each, 1,000 whole stages, one stage of 10,000 items; first run, nothing to
 * do, one item changed; hashing on one and two threads, with the bar that each must reach. `--million`: also a million small
 * files. `--peers N`: then N stages under make, DVC and Snakemake, those that are installed.
 */
import { comparePeers } from "./pipeline_peers.ts";
import { hashMany } from "../pipeline/hash_many.ts";
import { defineStage, type Options, reproduce, silentReporter, sourceFolder } from "../pipeline/mod.ts";
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

/** A million files of 64 bytes as the input of one whole stage. */
async function millionFiles(): Promise<void> {
  const folder = `${root}/million`;
  for (let index = 0; index < 1_000_000; index++) {
    if (index % 1000 === 0) Deno.mkdirSync(`${folder}/${index / 1000}`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/${Math.floor(index / 1000)}/${index}.txt`, String(index).padEnd(64));
  }
  const targets = { text: whole({ text: sourceFolder(folder) }, { number: 0 }) };
  await time("1,000,000 files, first run", targets);
  await time("1,000,000 files, nothing to do", targets, 8);
  console.log(`${"".padEnd(40)} ${Math.round(Deno.memoryUsage().rss / 1e6)} MB resident`);
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

try {
  await stagesAndItems();
  await hashing();
  if (Deno.args.includes("--million")) await millionFiles();
} finally {
  Deno.removeSync(root, { recursive: true });
}
const peers = Deno.args.indexOf("--peers");
if (peers !== -1) await comparePeers(Number(Deno.args[peers + 1] ?? 100));
