/** Which training's networks reconstruct: the user's own, the committed ones, or ones that are trained now. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Options, sourceFile, statusOf } from "@ftim/pipeline";
import { embedded, type EmbeddedOptions } from "../embedded.ts";
import { type Trained, unpacked } from "../photograph.ts";
import { HASH_FILE } from "./hash_file.ts";
import { checkTrained } from "./trained_file.ts";

const RESULTS = fileURLToPath(new URL("../../results", import.meta.url));

/** Where networks may come from. */
interface TrainingOptions {
  /** A file of the user's, or artifacts. */
  readonly trained?: string | Trained;
  /** The committed results. Default: `results` of this package. */
  readonly results?: string;
  /** How to train if there is no trained network. */
  readonly training?: EmbeddedOptions;
  /** The folder that relative names start from. */
  readonly here: string;
  readonly engine: Options;
  /** An existing folder for a copy. */
  readonly work: string;
  readonly say: (line: string) => void;
}

/**
 * The trained networks, checked now; where there are none, they are trained when they are needed.
 *
 * @throws {ReconstructError} if they are damaged
 */
export async function checkedTraining(
  { results = RESULTS, training = {}, trained, here, engine, work, say }: TrainingOptions,
): Promise<() => Promise<Trained>> {
  if (trained !== undefined && typeof trained !== "string") return () => Promise.resolve(trained);
  const path = trained === undefined ? join(results, "embedded", "trained.safetensors") : resolve(here, trained);
  if (trained !== undefined) {
    await checkTrained(path, { restore: "Name the trained.safetensors that `deno task reproduce` has published." });
    // stages know the file by this name
    const copy = join(work, "trained.safetensors");
    await Deno.copyFile(path, copy);
    return () => Promise.resolve(unpacked(sourceFile(copy)));
  }
  if (await isFile(path)) {
    const restore = `Restore it with \`git checkout -- ${path} ${join(results, "embedded", HASH_FILE)}\`, ` +
      "or make it again with `deno task reproduce`.";
    await checkTrained(path, { restore });
    return () => Promise.resolve(unpacked(sourceFile(path)));
  }
  const artifact = embedded(training).trained;
  return async () => {
    const rows = await statusOf({ trained: artifact }, engine);
    if (rows.some(({ state }) => state !== "fresh")) {
      say(
        `There is no trained network in ${path} and none of an earlier reproduction, so one is trained first: ` +
          `about a quarter of an hour on two cores without a GPU, far less with one. It is kept for the next ` +
          `photograph, and Ctrl-C loses little.`,
      );
    }
    return unpacked(artifact);
  };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
