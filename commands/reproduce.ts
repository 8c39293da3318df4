/**
 * `reproduce`, `table1`, `table2`, `lpips`, `figures`: computes artifacts and publishes them, with a page that says
 * where the time went; all that is more than a part of `reproduce` also says how it was made.
 */
import { type Command, Option } from "commander";
import { defaultReporter, reproduce as compute, type Summary, type Tree, UnfinishedError } from "@ftim/pipeline";
import {
  ABLATION,
  artifactsOf,
  CONDITIONAL,
  CURVE,
  FIGURES,
  folderOf,
  nameOf,
  PERCEPTUAL,
  PUBLISHED,
  type Published,
  type Running,
  runningCommand,
  stoppableOptions,
} from "./common.ts";
import { aboutRun } from "./facts.ts";
import { withWatchdog } from "./interrupt.ts";
import { publishTargets, withdrawTargets, writeCrate, writeTimeline } from "./results.ts";

/** What asks for further rows of the ablation. */
const more = () =>
  new Option(
    "--more",
    "further rows of the ablation: without groups of losses, and with each view in its own light, as the paper trains",
  );

/** Adds the commands. */
export function reproduce(program: Command): void {
  runningCommand(program, ["reproduce", "everything: tables, figures, reports"])
    .action((options: Running) => make(PUBLISHED, { options, command: "reproduce", crate: "ro-crate-metadata.json" }));
  runningCommand(program, ["table1", "Table 1 and only what it needs"])
    .action((options: Running) => make(["table1"], { options, command: "table1" }));
  runningCommand(program, ["table2", "the ablation: Table 2, its LPIPS, Figure 4, and only what they need"])
    .addOption(more())
    .action((options: Running) =>
      make(ABLATION, { options, command: "table2", crate: "table2-ro-crate-metadata.json" })
    );
  runningCommand(program, ["curve", "what other trainings buy, on the second sets' validation part"])
    .action((options: Running) => {
      if (options.experiment === "paper") throw new Error("The learning curve is of the experiment embedded alone");
      return make(CURVE, { options: { ...options, sets: "second", on: "validation" }, command: "curve" });
    });
  runningCommand(program, ["lpips", "LPIPS of each method, and only what it needs"])
    .action((options: Running) => make(PERCEPTUAL, { options, command: "lpips" }));
  runningCommand(program, ["figures", "the figures and only what they need"])
    .action((options: Running) => make(FIGURES, { options, command: "figures" }));
}

interface MakeOptions {
  readonly options: Running;
  readonly command: string;
  /** File of the crate that says how it was made; absent: none is written. */
  readonly crate?: string;
}

/** Runs some of an experiment's artifacts and publishes them. */
async function make(names: readonly Published[], { options, command, crate }: MakeOptions): Promise<void> {
  if (options.experiment === "paper") {
    const { paperFacts, requirePaperData } = await import("../experiments/paper_data.ts");
    await requirePaperData(options);
    console.log(paperFacts(options).join("\n"));
  }
  const { leaveOutLpips } = await import("./leave_out_lpips.ts");
  const engine = stoppableOptions(options);
  const reporter = withWatchdog(engine.reporter ?? defaultReporter());
  const { force = [], keepGoing = false } = options;
  const about = { ...aboutRun(), command, experiment: nameOf(options), ...(crate === undefined ? {} : { crate }) };
  await leaveOutLpips(names, {
    warn: (message) => reporter({ type: "warning", message }),
    async make(wanted) {
      const artifacts = await artifactsOf(options, wanted);
      try {
        const made = await compute(artifacts, { ...engine, reporter, about, force, keepGoing });
        await withdrawTargets(CONDITIONAL.filter((name) => wanted.includes(name) && !(name in artifacts)), options);
        const changed = await show(made, options);
        if (crate !== undefined) await writeCrate(crate, { ...options, changed });
      } catch (error) {
        // what could be made is of use nevertheless
        if (error instanceof UnfinishedError) await show(error.made, options);
        throw error;
      }
    },
  });
}

interface Made {
  readonly trees: Readonly<Record<string, Tree>>;
  readonly summary: Summary;
  readonly run: string | null;
}

/** Publishes what was made, and prints the tables; says whether anything ran or was written. */
async function show({ trees, summary, run }: Made, options: Running): Promise<boolean> {
  const written = await publishTargets(trees, options);
  if (run !== null && summary.executed > 0) await writeTimeline(run, options);
  if (trees.table1 !== undefined) console.log(await trees.table1.text("table1.txt"));
  if (trees.table2 !== undefined) console.log(await trees.table2.text("table2.md"));
  if (trees.lpips !== undefined) console.log(await trees.lpips.text("lpips.md"));
  const news = written === 0 ? "" : `, ${written} of them new`;
  console.log(`${fileCount(Object.values(trees))} files in ${folderOf(options)}${news}`);
  return summary.executed > 0 || written > 0;
}

function fileCount(trees: readonly Tree[]): number {
  return trees.reduce((sum, { paths }) => sum + paths.length, 0);
}
