/**
 * N trivial stages under make, DVC, Snakemake and this engine, in one run: `bench/pipeline_peers.ts [N]` (default 100).
 * Whole processes are timed, start-up included; peers that are not on the path are left out. The peers start a shell
 * a stage, this engine calls a function: that is part of the comparison.
 */
import { fileURLToPath } from "node:url";
import { defineStage, reproduce, silentReporter } from "../pipeline/mod.ts";
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

/** A peer: files to write and commands to run in a folder. */
interface Peer {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly prepare?: readonly string[][];
  readonly run: readonly string[];
}

function peers(count: number): readonly Peer[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const targets = numbers.map((n) => `out/${n}.txt`);
  return [
    {
      name: "make -j2",
      files: {
        Makefile: `all: ${targets.join(" ")}\n${numbers.map((n) => `out/${n}.txt:\n\t@echo ${n} > $@\n`).join("")}`,
      },
      run: ["make", "-s", "-j2"],
    },
    {
      name: "snakemake -j2",
      files: {
        Snakefile:
          `rule all:\n  input: expand("out/{n}.txt", n=range(${count}))\nrule one:\n  output: "out/{n}.txt"\n  shell: "echo {wildcards.n} > {output}"\n`,
      },
      run: ["snakemake", "-q", "-j2"],
    },
    {
      name: "dvc repro",
      files: {
        "dvc.yaml": `stages:\n${
          numbers.map((n) => `  s${n}:\n    cmd: echo ${n} > out/${n}.txt\n    outs: [out/${n}.txt]\n`).join("")
        }`,
      },
      prepare: [["dvc", "init", "-q", "--no-scm"]],
      run: ["dvc", "repro", "-q"],
    },
    {
      name: "this engine",
      files: {},
      run: [
        Deno.execPath(),
        "run",
        "-q",
        "--no-check",
        "--allow-all",
        fileURLToPath(import.meta.url),
        "self",
        `${count}`,
      ],
    },
  ];
}

async function seconds(command: readonly string[], cwd: string): Promise<number> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(program, { args, cwd, stdout: "null", stderr: "piped" }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return (performance.now() - start) / 1000;
}

/** Prints the comparison for so many stages. */
export async function comparePeers(count: number): Promise<void> {
  console.log(`${count} trivial stages: first run, nothing to do (s, start-up included)`);
  for (const { name, files, prepare = [], run } of peers(count)) {
    const folder = Deno.makeTempDirSync({ prefix: "peers-" });
    try {
      Deno.mkdirSync(`${folder}/out`);
      for (const [path, text] of Object.entries(files)) Deno.writeTextFileSync(`${folder}/${path}`, text);
      for (const command of prepare) await seconds(command, folder);
      const times = [await seconds(run, folder), await seconds(run, folder)];
      console.log(name.padEnd(16), ...times.map((time) => time.toFixed(2).padStart(8)));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.log(name.padEnd(16), "not installed");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }
}

if (import.meta.main) {
  const [first = "100", count = "100"] = Deno.args;
  if (first === "self") {
    const numbers = Array.from({ length: Number(count) }, (_, number) => number);
    const targets = Object.fromEntries(numbers.map((number) => [`${number}`, trivial({}, { number })]));
    await reproduce(targets, { reporter: silentReporter(), jobs: 2 });
  } else await comparePeers(Number(first));
}
