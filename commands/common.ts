/** What every command shares: where things are, which experiment, how the engine runs and reports. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { checkGpu } from "../experiments/gpu_check.ts";
import type { EmbeddedOptions } from "../experiments/embedded.ts";
import type { PaperOptions } from "../experiments/paper.ts";
import { REGRESSORS } from "../experiments/regressors.ts";
import { SCHEDULES } from "../stages/training/parts/train_params.ts";
import { type Artifact, jsonReporter, type Options, placeFault, plainReporter, type Reporter } from "@ftim/pipeline";
import { machineFacts } from "./facts.ts";

/** Options of a command that only looks at the store. */
export interface StoreOptions {
  readonly store: string;
}

/** Options of a command that knows the experiment's graph. */
export interface Common extends EmbeddedOptions, PaperOptions, StoreOptions {
  readonly experiment: "embedded" | "paper";
  readonly results: string;
  readonly jobs?: number;
  readonly log?: "plain" | "json";
}

/** The figures that are made without the ablation, and what is small enough to be committed of them. */
export const FIGURES = [
  "figure1",
  "figure1Small",
  "figure2",
  "figure2Small",
  "figure3",
  "figure3Small",
  "oneFaceSmall",
  "charts",
  "chartsSmall",
] as const;
/** What `reproduce` leaves in `results/<experiment>/`. */
export const PUBLISHED = [
  "table1",
  "others",
  "realViews",
  "lpips",
  "fairness",
  "seeds",
  ...FIGURES,
  "filter",
  "report",
  "losses",
  "triplets",
  "calibration",
  "trained",
] as const;
/** The ablation, which trains eight networks more, or eleven: a command of its own publishes it. */
export const ABLATION = [
  "table2",
  "lpipsAblation",
  "figure4",
  "figure4Small",
  "figure4Views",
  "figure4ViewsSmall",
] as const;
/** What is too large to be committed: it goes to `results/<experiment>/full/`, which git ignores. */
export const FULL_SIZE: readonly string[] = [
  "figure1",
  "figure2",
  "figure3",
  "charts",
  "figure4",
  "figure4Views",
  "report",
];
/** What LPIPS's network is needed for: of what the published tables download, it alone comes from PyPI. */
export const LPIPS: readonly Published[] = ["lpips", "realLpips", "lpipsAblation"];
/** What depends on which of the user's files are there, and goes with them. */
export const CONDITIONAL: readonly Published[] = ["filter", "figure4Views", "figure4ViewsSmall"];
/** LPIPS in real views takes minutes of its own: the command `lpips` alone publishes it. */
export const PERCEPTUAL = ["lpips", "realLpips"] as const;
/** What other trainings buy: nine trainings more, which the command `curve` alone makes. */
export const CURVE = ["curve", "harder"] as const;
/** One of {@link PUBLISHED} or {@link ABLATION}, or what a command of its own publishes. */
export type Published =
  | typeof PUBLISHED[number]
  | typeof ABLATION[number]
  | typeof PERCEPTUAL[number]
  | typeof CURVE[number];

/** Where results go, and where the store lies, unless a person names others: in the project's folder. */
export const [RESULTS, STORE] = ["results", ".ftim"] as const;

/** Reads a whole number from 1; for commander. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

/** Reads the name of a folder or file; for commander, which says which option or argument it is. */
export function place(text: string): string {
  const fault = placeFault(text);
  if (fault !== null) throw new InvalidArgumentError(`It ${fault}.`);
  return text;
}

/** Adds a command that only looks at the store. */
export function storeCommand(program: Command, [name, description]: readonly [string, string]): Command {
  return program.command(name).description(description)
    .option("--store <folder>", "where results are kept by content", place, STORE);
}

/** Adds a command that takes {@link Common}. */
export function experimentCommand(program: Command, names: readonly [string, string]): Command {
  return storeCommand(program, names)
    .addOption(new Option("--experiment <name>", "what to run").choices(["embedded", "paper"]).default("embedded"))
    .option(
      "--data <folder>",
      "the folder of your own files: the paper's licensed data, LPIPS's network (default: data)",
      place,
    )
    .option("--photographs <n>", "paper: photographs of CelebA to test on", count)
    .addOption(
      new Option("--regressor <name>", "paper: the 3DMM regressor (default: deca where its files are all there)")
        .choices(REGRESSORS),
    )
    .option("--results <folder>", "where tables and figures go", place, RESULTS)
    .option("-j, --jobs <n>", "cores to use", count)
    .addOption(new Option("--log <form>", "how to report").choices(["plain", "json"]))
    .addOption(
      new Option("--sets <name>", "embedded: the sets of the published tables, or those drawn by person")
        .choices(["first", "second"]).default("first"),
    )
    .addOption(
      new Option("--on <part>", "with --sets second: what to score (default: test)").choices(["test", "validation"]),
    )
    .option("--persons <n>", "with --sets second: persons to train on (default: all)", count)
    .option("--identities <n>", "embedded: heads to synthesise", count)
    .option("--triplets <n>", "triplets to train on", count)
    .option("--picked <csv>", "triplets that you picked by hand to train on: see docs/options.md", place)
    .option("--steps <n>", "training steps", count)
    .addOption(
      new Option("--schedule <name>", "course of the learning rate (default: falling; paper: constant)")
        .choices(SCHEDULES),
    )
    .option("--seed <n>", "seed of the training", count)
    .option(
      "--seeds <n>",
      "repeat our trainings with so many seeds: reproduce reports the spread, table2 the mean",
      count,
    );
}

/** Options of a command that runs the experiment. */
export interface Running extends Common {
  readonly force?: readonly string[];
  readonly keepGoing?: true;
}

/** Adds a command that takes {@link Running}. */
export function runningCommand(program: Command, names: readonly [string, string]): Command {
  return experimentCommand(program, names)
    .option("--keep-going", "after a failure, go on with what does not need it")
    .option(
      "--force <stages>",
      "run these again though they are recorded: names, separated by commas",
      (text) => text.split(","),
    );
}

/** Some of the experiment's artifacts; default: all that are published. */
export async function artifactsOf(
  options: Common,
  names: readonly Published[] = PUBLISHED,
): Promise<Readonly<Record<string, Artifact>>> {
  const artifacts = options.experiment === "paper"
    ? (await import("../experiments/paper.ts")).paper(options)
    : (await import("../experiments/embedded.ts")).embedded(options);
  const wanted = names.map((name) => [name, artifacts[name]] as const);
  return Object.fromEntries(wanted.flatMap(([name, artifact]) => artifact === null ? [] : [[name, artifact]]));
}

/** What says whose results they are. */
export type Named = Pick<Common, "experiment" | "sets" | "on">;

/** The folder that results are published in. */
export function folderOf({ results, ...named }: Pick<Common, "results"> & Named): string {
  return `${results}/${nameOf(named)}`;
}

/**
 * What results are called: as their experiment, but those of the sets `second` have names of their own, so that they
 * never replace published ones.
 *
 * @throws {Error} if the sets `first` are asked for their validation part, which they lack
 */
export function nameOf({ experiment, sets, on }: Named): string {
  if (experiment === "paper") return experiment;
  if (sets !== "second") {
    if (on !== undefined) throw new Error("--on is of --sets second alone");
    return experiment;
  }
  return on === "validation" ? `${experiment}-second-validation` : `${experiment}-second`;
}

/** All whose results have names of their own. */
const NAMED: readonly Named[] = [
  { experiment: "paper" },
  { experiment: "embedded" },
  { experiment: "embedded", sets: "second" },
  { experiment: "embedded", sets: "second", on: "validation" },
];

/** Whose results have a name, by {@link nameOf}; any other name is that of the embedded experiment. */
export function namedBy(name: string | undefined): Named {
  return NAMED.find((one) => nameOf(one) === name) ?? { experiment: "embedded" };
}

/** The engine's options: what ran notes the machine. Ctrl-C ends the process at once, which the store survives. */
export function engineOptions({ store, jobs, log }: Pick<Common, "store" | "jobs" | "log">): Options {
  const reporter = reporterOf(log);
  return {
    store,
    facts: machineFacts,
    checkGpu,
    ...(jobs === undefined ? {} : { jobs }),
    ...(reporter === undefined ? {} : { reporter }),
  };
}

/** As {@link engineOptions}, but Ctrl-C lets a run end by itself and say what it kept. */
export function stoppableOptions(options: Pick<Common, "store" | "jobs" | "log">): Options {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
  return { ...engineOptions(options), signal: stop.signal };
}

function reporterOf(log: Common["log"]): Reporter | undefined {
  if (log === "json") return jsonReporter();
  return log === "plain" ? plainReporter() : undefined;
}

/** "12.3 MB". */
export function byteText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
