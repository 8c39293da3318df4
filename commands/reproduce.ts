/**
 * `reproduce`, `table1`, `table2`, `lpips`, `figures`: computes artifacts and publishes them; all that is more than a
 * part of `reproduce` also says how it was made.
 */
import { gzipSync } from "node:zlib";
import { type Command, Option } from "commander";
import { crateOf, defaultReporter, publish, replaceFile, reproduce as compute, type Tree } from "@ftim/pipeline";
import {
  ABLATION,
  artifactsOf,
  type Common,
  experimentCommand,
  folderOf,
  FULL_SIZE,
  LPIPS,
  PUBLISHED,
  type Published,
  stoppableOptions,
} from "./common.ts";
import { withWatchdog } from "./interrupt.ts";

/** What asks for further rows of the ablation. */
const more = () =>
  new Option(
    "--more",
    "further rows of the ablation: without groups of losses, and with each view in its own light, as the paper trains",
  );

/** Adds the commands. */
export function reproduce(program: Command): void {
  experimentCommand(program, ["reproduce", "everything: tables, figures, reports"])
    .action(async (options: Common) => {
      const changed = await make(PUBLISHED, options);
      await writeCrate(options, { file: "ro-crate-metadata.json", changed });
    });
  experimentCommand(program, ["table1", "Table 1 and only what it needs"])
    .action(async (options: Common) => void await make(["table1"], options));
  experimentCommand(program, ["table2", "the ablation, Table 2 and Figure 4, and only what they need"])
    .addOption(more())
    .action(async (options: Common) => {
      const changed = await make(ABLATION, options);
      await writeCrate(options, { file: "table2-ro-crate-metadata.json", changed });
    });
  experimentCommand(program, [
    "lpips",
    "LPIPS of each method, through a network that you get by one command (docs/lpips.md)",
  ])
    .option("--ablation", "of the ablation's variants too")
    .addOption(more().implies({ ablation: true }))
    .action(async ({ ablation, ...options }: Common & { ablation?: boolean }) => {
      (await import("../experiments/lpips_network.ts")).requireLpipsNetwork(options);
      const changed = await make(ablation ? LPIPS : ["lpips"], options);
      await writeCrate(options, { file: `${ablation ? "lpips_ablation" : "lpips"}-ro-crate-metadata.json`, changed });
    });
  experimentCommand(program, ["figures", "the figures and only what they need"])
    .action(async (options: Common) => void await make(["figure3", "figure3Small", "charts", "chartsSmall"], options));
}

/** Runs some of an experiment's artifacts and publishes them; says whether anything ran or was written. */
async function make(names: readonly Published[], options: Common): Promise<boolean> {
  if (options.experiment === "paper") (await import("../experiments/paper.ts")).requirePaperData(options);
  const engine = stoppableOptions(options);
  const reporter = withWatchdog(engine.reporter ?? defaultReporter());
  const { trees, summary } = await compute(await artifactsOf(options, names), { ...engine, reporter });
  const folder = folderOf(options);
  const written = await publishAll(trees, options);
  if (trees.table1 !== undefined) console.log(await trees.table1.text("table1.txt"));
  if (trees.table2 !== undefined) console.log(await trees.table2.text("table2.md"));
  if (trees.lpips !== undefined) console.log(await trees.lpips.text("lpips.md"));
  console.log(
    `${fileCount(Object.values(trees))} files in ${folder}${written === 0 ? "" : `, ${written} of them new`}`,
  );
  return summary.executed > 0 || written > 0;
}

/** Publishes trees by target, says what happened to earlier files, and returns how many were written. */
async function publishAll(trees: Readonly<Record<string, Tree>>, options: Common): Promise<number> {
  let count = 0;
  for (const [name, tree] of Object.entries(trees)) {
    const folder = FULL_SIZE.includes(name) ? `${folderOf(options)}/full` : folderOf(options);
    const remember = { store: options.store, target: name };
    const { written, removed, edited } = await publish(tree, folder, { remember });
    count += written.length;
    for (const path of removed) console.log(`removed ${folder}/${path}: ${name} made it before, and does so no more`);
    for (const path of edited) console.log(`kept ${folder}/${path}: ${name} makes it no more, but it was edited since`);
  }
  return count;
}

function fileCount(trees: readonly Tree[]): number {
  return trees.reduce((sum, { paths }) => sum + paths.length, 0);
}

/** Writes the run's crate, compressed, beside its results, unless they are the ones that it tells of already. */
async function writeCrate(
  options: Common,
  { file, changed }: { readonly file: string; readonly changed: boolean },
): Promise<void> {
  const path = `${folderOf(options)}/${file}.gz`;
  if (!changed && await Deno.stat(path).then(() => true, () => false)) return;
  const crate = await crateOf({
    store: options.store,
    file,
    name: "Towards High-Fidelity Facial Texture Reconstruction, reproduced",
    description:
      `Tables, figures and reports of the experiment "${options.experiment}", with all that they were made from.`,
    license: "https://spdx.org/licenses/MIT",
    workflow: "../../main.ts",
  });
  await replaceFile(path, gzipSync(`${JSON.stringify(crate, null, 1)}\n`));
}
