/**
 * N trivial stages, and N items, under make, DVC, Snakemake and this engine, in one run:
 * `bench/pipeline_peers.ts [N]` (default 100). Whole processes are timed, start-up included; peers that are not on the
 * path are left out. The peers start a shell a stage, this engine calls a function: that is part of the comparison.
 */
import { fileURLToPath } from "node:url";
import { defineStage, notCode, reproduce, silentReporter, sourceFolder } from "@ftim/pipeline";
import { z } from "zod";

const trivial = defineStage({
  name: "trivial",
  module: import.meta.url,
  inputs: {},
  output: "text",
  params: z.object({ number: z.number() }).strict(),
  determinism: "bitwise",
  run: ({ out, params }) => out.write("out.txt", `${params.number}\n`),
});

const copy = defineStage({
  name: "copy",
  module: import.meta.url,
  inputs: { files: "folder" },
  output: "files",
  each: ["files"],
  batch: 16,
  determinism: "bitwise",
  run: async ({ items }) => {
    for (const { key, inputs, out } of items) out.write(`${key}.txt`, await inputs.files.bytes(`${key}.txt`));
  },
});

/** A peer: files to write and commands to run in a folder. */
interface Peer {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly prepare?: readonly string[][];
  readonly run: readonly string[];
}

const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const prepare = [["dvc", "init", "-q", "--no-scm"]];

function self(...args: string[]): readonly string[] {
  return [Deno.execPath(), "run", "-q", "--no-check", "--allow-all", fileURLToPath(notCode(import.meta.url)), ...args];
}

/** So many stages that write a line. */
function stagePeers(count: number): readonly Peer[] {
  const targets = numbersTo(count).map((n) => `out/${n}.txt`);
  const rules = numbersTo(count).map((n) => `out/${n}.txt:\n\t@echo ${n} > $@\n`);
  const all = `rule all:\n  input: expand("out/{n}.txt", n=range(${count}))\n`;
  const stages = numbersTo(count).map((n) => `  s${n}:\n    cmd: echo ${n} > out/${n}.txt\n    outs: [out/${n}.txt]\n`);
  return [
    {
      name: "make -j2",
      files: { Makefile: `all: ${targets.join(" ")}\n${rules.join("")}` },
      run: ["make", "-s", "-j2"],
    },
    {
      name: "snakemake -j2",
      files: { Snakefile: `${all}rule one:\n  output: "out/{n}.txt"\n  shell: "echo {wildcards.n} > {output}"\n` },
      run: ["snakemake", "-q", "-j2"],
    },
    { name: "dvc repro", files: { "dvc.yaml": `stages:\n${stages.join("")}` }, prepare, run: ["dvc", "repro", "-q"] },
    { name: "this engine", files: {}, run: self("stages", `${count}`) },
  ];
}

/** One operation on so many files. DVC has no stages by item: its one stage does them all. */
function itemPeers(count: number): readonly Peer[] {
  const inputs = Object.fromEntries(numbersTo(count).map((n) => [`in/${n}.txt`, `${n}\n`]));
  const list = numbersTo(count).map((n) => `out/${n}.txt`).join(" ");
  const copy = "for f in in/*; do cp $f out/; done";
  return [
    {
      name: "make -j2",
      files: { ...inputs, Makefile: `all: ${list}\nout/%.txt: in/%.txt\n\t@cp $< $@\n` },
      run: ["make", "-s", "-j2"],
    },
    {
      name: "snakemake -j2",
      files: {
        ...inputs,
        Snakefile: `rule all:\n  input: expand("out/{n}.txt", n=range(${count}))\n` +
          `rule one:\n  input: "in/{n}.txt"\n  output: "out/{n}.txt"\n  shell: "cp {input} {output}"\n`,
      },
      run: ["snakemake", "-q", "-j2"],
    },
    {
      name: "dvc repro",
      files: {
        ...inputs,
        "dvc.yaml": `stages:\n  copy:\n    cmd: mkdir -p out; ${copy}\n    deps: [in]\n    outs: [out]\n`,
      },
      prepare,
      run: ["dvc", "repro", "-q"],
    },
    { name: "this engine", files: inputs, run: self("items") },
  ];
}

async function seconds(command: readonly string[], cwd: string): Promise<number> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(program, { args, cwd, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return (performance.now() - start) / 1000;
}

/** Prints the comparison for so many stages, and for one stage of so many items. */
export async function comparePeers(count: number): Promise<void> {
  console.log(`${count} trivial stages: first run, nothing to do (s, start-up included)`);
  for (const peer of stagePeers(count)) await compare(peer);
  console.log(`${count} files copied one by one: first run, nothing to do, one changed`);
  for (const peer of itemPeers(count)) await compare(peer, "in/7.txt");
}

async function compare({ name, files, prepare = [], run }: Peer, changed?: string): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "peers-" });
  try {
    for (const path of ["in", "out"]) Deno.mkdirSync(`${folder}/${path}`);
    for (const [path, text] of Object.entries(files)) Deno.writeTextFileSync(`${folder}/${path}`, text);
    for (const command of prepare) await seconds(command, folder);
    const times = [await seconds(run, folder), await seconds(run, folder)];
    if (changed !== undefined) {
      Deno.writeTextFileSync(`${folder}/${changed}`, "changed\n");
      times.push(await seconds(run, folder));
    }
    console.log(name.padEnd(16), ...times.map((time) => time.toFixed(2).padStart(8)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(name.padEnd(16), "not installed");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [first = "100", count = "100"] = Deno.args;
  const options = { reporter: silentReporter(), jobs: 2 };
  if (first === "stages") {
    const targets = Object.fromEntries(
      numbersTo(Number(count)).map((number) => [`${number}`, trivial({}, { number })]),
    );
    await reproduce(targets, options);
  } else if (first === "items") await reproduce({ copies: copy({ files: sourceFolder("in") }) }, options);
  else await comparePeers(Number(first));
}
