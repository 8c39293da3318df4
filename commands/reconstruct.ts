/** `reconstruct PHOTO…` on the command line; what it does is in `experiments/reconstruct_photo.ts`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { REGRESSORS } from "../experiments/regressors.ts";
import { SCHEDULES } from "../stages/training/parts/train_params.ts";
import type { Reconstructions, TextureSize } from "../experiments/reconstruct_photo.ts";
import { CLEAR_LINE } from "../experiments/photographs/progress.ts";
import { ReconstructError } from "../experiments/photographs/refused.ts";
import { calledFrom, namedFrom } from "./called_from.ts";
import { type Common, count, place, RESULTS, STORE } from "./common.ts";
import { Failure } from "./failure.ts";
import { peopleOptions, writeError } from "./people.ts";

/** What the command takes. */
interface ReconstructCommand extends Common {
  readonly output?: string;
  readonly trained?: string;
  readonly size?: TextureSize;
  readonly samePerson?: true;
  readonly json?: true;
}

const HELP = `
A photo is a JPEG, PNG, TIFF, WebP, AVIF, GIF, HEIC, JPEG XL or BMP file whatever its name, a folder of them, a pattern
in quotes, or - for standard input.

Examples:
  deno task reconstruct me.jpg                     one photograph, into reconstruction/me/
  deno task reconstruct me.jpg --output faces      the same, into faces/
  deno task reconstruct holiday/ '*.heic'          many, each into reconstruction/<its name>/
  deno task reconstruct --same-person front.jpg left.jpg right.jpg   one face of three photographs
  curl -s URL | deno task reconstruct -            from standard input, into reconstruction/stdin/

For each face it writes, into the photograph's folder, or into 0/, 1/, … from left to right if there are several:
  face.glb             the textured face mask as lit in the photograph, for any 3D viewer (unlit material)
  face_albedo.glb      the same with the albedo, for viewers and scenes with a light of their own
  face.obj, face.mtl   the same for programs that read no glTF, with both textures as materials
  texture.png          the completed texture, as lit in the photograph
  albedo.png           the same without the light; its tone is not the person's skin tone
  overlay.png          the face mask over its part of the photograph
  face.json            box, 468 landmarks, camera, light, how much was seen; see docs/reconstruct.md
and beside them:
  photograph.png   the photograph with all faces pasted in
  source.json      which photograph made this; no other one's result replaces it
For several photographs there is also index.html, a page of all results.

Exit status: 0 every photograph has a result; 1 some have none, and it is said why; 130 after Ctrl-C.`;

/** Adds `reconstruct`. */
export function reconstruct(program: Command): void {
  const command = program.command("reconstruct").description("photographs → a textured face mask of each face in them")
    .argument("<photos...>", "files, folders, patterns in quotes, or -", collect)
    .option("--output <folder>", "where results go (default: reconstruction/<name of the photograph>)", place)
    .addOption(
      new Option("--size <texels>", "side of the textures: 256, 512 or 1024").default(1024).argParser(sizeOf),
    )
    .option("--same-person", "all photographs show one person: one result of them together")
    .option("--trained <file>", "the trained.safetensors of a training of your own", place)
    .addOption(
      new Option(
        "--experiment <name>",
        "whose networks: the published ones, or those that you trained on the paper's data",
      )
        .choices(["embedded", "paper"]).default("embedded"),
    )
    .option("--data <folder>", "with --experiment paper: the folder of its data (default: data)", place)
    .option("--json", "print the result as one JSON document")
    .option("--results <folder>", "where the trained networks lie, as embedded/trained.safetensors", place, RESULTS)
    .option("--store <folder>", "where results are kept by content", place, STORE)
    .option("-j, --jobs <n>", "cores to use", count)
    .addOption(new Option("--log <form>", "report each step").choices(["plain", "json"]))
    .addHelpText("after", HELP);
  // these tell which training of the paper's is meant, and count else only where there are no trained networks yet
  for (const name of ["identities", "triplets", "steps", "seed"]) {
    command.addOption(new Option(`--${name} <n>`).argParser(count).hideHelp());
  }
  command.addOption(new Option("--picked <csv>").argParser(place).hideHelp());
  command.addOption(new Option("--schedule <name>").choices(SCHEDULES).hideHelp());
  command.addOption(new Option("--regressor <name>").choices(REGRESSORS).hideHelp());
  command.action(run);
}

/** Reads the names of photographs; for commander. */
function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, place(text)];
}

/** Sides of a texture; the network's own is the least. */
const SIZES: readonly TextureSize[] = [256, 512, 1024];

/** Reads the side of a texture; for commander. */
function sizeOf(text: string): TextureSize {
  const size = SIZES.find((size) => `${size}` === text);
  if (size === undefined) throw new InvalidArgumentError(`It is one of ${SIZES.join(", ")}.`);
  return size;
}

async function run(photos: readonly string[], options: ReconstructCommand): Promise<void> {
  try {
    await make(photos, options);
  } catch (error) {
    // a program that reads the document learns of it there, too
    if (options.json === true && error instanceof ReconstructError) {
      const { message } = error;
      console.log(jsonOf({ done: [], failed: [], index: null }, [], message));
    }
    throw error;
  }
}

async function make(photos: readonly string[], options: ReconstructCommand): Promise<void> {
  const { output, trained: file, size, samePerson, json, ...training } = options;
  const here = calledFrom(photos);
  const results = namedFrom(here, options.results, { usual: RESULTS });
  const { failuresText, reconstructPhotos } = await import("../experiments/reconstruct_photo.ts");
  const live = Deno.stderr.isTerminal();
  const engine = peopleOptions({ ...options, store: namedFrom(here, options.store, { usual: STORE }) });
  const opened = (done: number, total: number) => {
    if (live && total > 1) {
      writeError(done === total ? CLEAR_LINE : `${CLEAR_LINE}opening the photographs ${done} of ${total}`);
    }
  };
  if (options.experiment === "paper" && file !== undefined) {
    throw new ReconstructError("Give --trained or --experiment paper, not both: each says whose networks to use");
  }
  const trained = options.experiment === "paper"
    ? await (await import("../experiments/photographs/paper_training.ts")).checkedPaperTraining(training, engine)
    : file;
  const notes: string[] = [];
  const made = await reconstructPhotos({
    photos,
    opened,
    results,
    training,
    here,
    engine,
    ...(output === undefined ? {} : { output }),
    ...(trained === undefined ? {} : { trained }),
    ...(size === undefined ? {} : { size }),
    ...(samePerson === true ? { samePerson } : {}),
    ...(json === true ? { say: (line: string) => void notes.push(line) } : {}),
  });
  if (json === true) console.log(jsonOf(made, notes));
  if (made.failed.length === 0) return;
  if (json !== true) console.error(`\n${failuresText(made)}`);
  throw new Failure();
}

/**
 * @param notes what is printed without --json, a line each
 * @param error why nothing could be done
 */
function jsonOf({ done, failed, index }: Reconstructions, notes: readonly string[], error?: string): string {
  return JSON.stringify({ schema: 1, photographs: done, failed, index, notes, error }, null, 1);
}
