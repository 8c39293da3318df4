/** A run in a process of its own, for tests that kill it: `kill_victim.ts ROOT`. Appends what it executes to ROOT/log. */
import { defineStage, reproduce, silentReporter, sourceFolder } from "../../pipeline/mod.ts";

const [root = ""] = Deno.args;

function log(line: string): void {
  Deno.writeTextFileSync(`${root}/log`, `${line}\n`, { append: true });
}

const repeat = defineStage({
  name: "repeat",
  module: import.meta.url,
  inputs: { texts: "folder" },
  output: "texts",
  each: ["texts"],
  batch: 3,
  determinism: "bitwise",
  run: async ({ items }) => {
    for (const { key, inputs, out } of items) {
      log(`repeat ${key}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      out.write(`${key}.txt`, (await inputs.texts.text(`${key}.txt`)).repeat(2000));
    }
  },
});
const join = defineStage({
  name: "join",
  module: import.meta.url,
  inputs: { texts: "texts" },
  output: "text",
  determinism: "bitwise",
  run: async ({ inputs, out, scratch }) => {
    log("join");
    Deno.writeTextFileSync(`${scratch}/state`, "half");
    out.write("all.txt", (await Promise.all(inputs.texts.paths.map((path) => inputs.texts.text(path)))).join(""));
  },
});

const { trees, summary } = await reproduce(
  { all: join({ texts: repeat({ texts: sourceFolder(`${root}/in`) }) }) },
  {
    store: `${root}/store`,
    jobs: 2,
    reporter: silentReporter(),
    codeDigests: (modules) => Promise.resolve(new Map(modules.map((url) => [url, { modules: {}, packages: {} }]))),
  },
);
console.log(JSON.stringify({ sha256: trees.all.entry("all.txt").sha256, ...summary }));
