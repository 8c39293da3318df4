/** `score` on the command line; what it does is in `experiments/score_folders.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { OverlayFolder, ScoreOptions } from "../experiments/scored_folders/options.ts";
import { calledFrom, namedFrom } from "./called_from.ts";
import { type Common, count, place, RESULTS, STORE } from "./common.ts";
import { peopleOptions } from "./people.ts";

/** What the command takes. */
interface ScoreCommand
  extends
    Pick<Common, "store" | "jobs" | "log" | "results" | "identities" | "steps" | "seed">,
    Pick<ScoreOptions, "photos" | "triplets" | "picked" | "draw" | "overlays" | "output" | "trained"> {
  readonly methods?: readonly string[];
  readonly trainingTriplets?: number;
}

const HELP = `
Scores every method on your own photographs (--photos), and on your own captures from several sides (--triplets).

Methods: deca, chen, deng, tran, printed (FTIM as printed), ours (FTIM with a first guess), guess (what that starts
from, for which nothing is trained).
The networks of deca, chen, deng, ours and guess lie in results/. Those of tran and printed are trained when they are
first asked for, as \`reproduce\` does: about ten minutes on two cores without a GPU. After \`reproduce\` they are
there. Then 20 faces take about three minutes, of which one is Deng's fit.

Examples:
  deno task score --photos portraits                                    every method, into scores/
  deno task score --photos portraits --methods ours,deca,guess          these, without a training
  deno task score --photos portraits --overlays MICA=mica_renders       one more row, of another program's pictures
  deno task score --triplets captures                                   <person>/<k_expression>/<view>.jpg
  deno task score --triplets captures --picked mine.csv                 triplets that you picked by hand

How pictures of another program must be named, and what each file holds: docs/score.md

Exit status: 0 the tables are written; 1 they are not, and it is said why; 130 after Ctrl-C.`;

/** Adds `score`. */
export function score(program: Command): void {
  const command = program.command("score").description("every method on your own photographs and captures")
    .option("--photos <folder>", "photographs: scored in the view that was reconstructed from", place)
    .option("--triplets <folder>", "captures: each view reconstructed, and scored in the others", place)
    .option("--picked <csv>", "triplets of the captures that you picked by hand (default: they are drawn)", place)
    .option("--draw <n>", "triplets to draw at most (default: 96)", count)
    .option("--overlays <name=folder>", "pictures of the photographs by another program, as one more row", overlay)
    .option("--methods <names>", "only these, separated by commas", (text) => text.split(","))
    .option("--output <folder>", "where results go (default: scores)", place)
    .option("--trained <file>", "the trained.safetensors of a training of your own", place)
    .option("--results <folder>", "where the trained networks lie, as embedded/trained.safetensors", place, RESULTS)
    .option("--store <folder>", "where results are kept by content", place, STORE)
    .option("-j, --jobs <n>", "cores to use", count)
    .addOption(new Option("--log <form>", "report each step").choices(["plain", "json"]))
    .addHelpText("after", HELP);
  // they count only where networks are trained
  for (const name of ["identities", "training-triplets", "steps", "seed"]) {
    command.addOption(new Option(`--${name} <n>`).argParser(count).hideHelp());
  }
  command.action(run);
}

/** Reads NAME=FOLDER; for commander. */
function overlay(text: string, earlier: readonly OverlayFolder[] = []): OverlayFolder[] {
  const at = text.indexOf("=");
  const [name, folder] = [text.slice(0, at).trim(), text.slice(at + 1)];
  if (at === -1 || !/^[^|\p{Cc}]{1,60}$/u.test(name)) {
    throw new InvalidArgumentError('It must be NAME=FOLDER: the row\'s name of up to 60 letters, without "|".');
  }
  return [...earlier, { name, folder: place(folder) }];
}

async function run(options: ScoreCommand): Promise<void> {
  const { store, jobs, log, results, identities, trainingTriplets, steps, seed, methods, ...rest } = options;
  const { scoreFolders } = await import("../experiments/score_folders.ts");
  const { scoredMethods } = await import("../experiments/scored_folders/options.ts");
  const { photos, triplets, picked, overlays = [], trained } = rest;
  const names = [photos, triplets, picked, trained, ...overlays.map(({ folder }) => folder)];
  const here = calledFrom(names.flatMap((name) => name ?? []));
  const named = namedFrom(here, store, { usual: STORE });
  const { folder, files, text } = await scoreFolders({
    ...rest,
    ...(methods === undefined ? {} : { methods: scoredMethods(methods) }),
    results: namedFrom(here, results, { usual: RESULTS }),
    training: {
      ...(identities === undefined ? {} : { identities }),
      ...(trainingTriplets === undefined ? {} : { triplets: trainingTriplets }),
      ...(steps === undefined ? {} : { steps }),
      ...(seed === undefined ? {} : { seed }),
    },
    here,
    engine: peopleOptions({
      store: named,
      ...(jobs === undefined ? {} : { jobs }),
      ...(log === undefined ? {} : { log }),
    }),
  });
  console.log(text);
  console.log(`${files.length} files in ${folder}`);
}
