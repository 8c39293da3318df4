/**
 * `score`: a person's folders of photographs, captures and other programs' pictures → tables, a figure and the scores
 * of each face, as files. What is wrong with a folder is found out before any network is trained.
 */
import { resolve } from "node:path";
import { AbortedError, sha256, sourceFolder, StoreError, type Tree } from "@ftim/pipeline";
import { reproduce } from "./gpu_check.ts";
import { RECORD } from "./photographs/owner.ts";
import { makeWorkFolder, putInPlace } from "./photographs/place.ts";
import { ReconstructError } from "./photographs/refused.ts";
import { plainReason } from "./photographs/words.ts";
import { captureViews, SCORED, scoredCaptures, scoredPhotographs } from "./score.ts";
import { choiceOf, lookAtCaptures, lookAtPhotographs, overlayRows } from "./scored_folders/look.ts";
import { networksOf } from "./scored_folders/networks.ts";
import { checkOptions, PACKED, type ScoreOptions } from "./scored_folders/options.ts";
import { checkPlace, FILES } from "./scored_folders/place.ts";

/** What was scored. */
export interface Scores {
  readonly folder: string;
  /** Paths in the folder. */
  readonly files: readonly string[];
  /** The tables, for a terminal. */
  readonly text: string;
}

/** Where results go. */
const OUTPUT = "scores";

/**
 * Scores folders and writes the results.
 *
 * @throws {ReconstructError} if options contradict each other, a folder shows no face or no triplet, or the results
 *   would replace what no earlier run on the same folders made
 * @throws {AbortedError} after an interruption; what was computed is kept in the store
 */
export async function scoreFolders(options: ScoreOptions): Promise<Scores> {
  const { here = Deno.cwd(), output = OUTPUT, say = console.log } = options;
  const { photos, triplets, overlays = [] } = options;
  checkOptions(options);
  const methods = options.methods ?? (options.trained === undefined ? SCORED : PACKED);
  const folder = resolve(here, output);
  const sources = [photos, triplets, ...overlays.map(({ folder }) => folder)].flatMap((name) => name ?? []);
  if (sources.some((name) => resolve(here, name) === folder)) {
    throw new ReconstructError(`${output}: results cannot go into a folder that is scored: name another --output`);
  }
  const own = overlays.find(({ folder }) => photos !== undefined && resolve(here, folder) === resolve(here, photos));
  if (own !== undefined) {
    throw new ReconstructError(`--overlays ${own.name}=${own.folder}: these are the photographs themselves`);
  }
  // with other methods or overlays the same folders have the same result, made anew
  const path = [photos, triplets].flatMap((name) => name === undefined ? [] : [resolve(here, name)]).join(", ");
  const identity = { path, sha256: sha256(path) };
  const work = await makeWorkFolder("ftim-scores-");
  try {
    await checkPlace(folder, { output, path, names: FILES });
    const means = { ...options, methods, here, say, work, folder };
    const trees: Tree[] = [];
    const texts: string[] = [];
    // both folders are looked at before a network is trained
    const seen = photos === undefined ? null : await lookAtPhotographs(photos, means);
    const captured = triplets === undefined ? null : await lookAtCaptures(triplets, means);
    const networks = await networksOf(means);
    if (seen !== null) {
      const scored = scoredPhotographs(sourceFolder(seen.path), {
        methods,
        networks,
        refused: seen.refused,
        overlays: overlayRows(means),
      });
      // a figure of nothing has less to say of the reason
      const { table } = (await reproduce({ table: scored.table }, means.engine)).trees;
      const { figure } = (await reproduce({ figure: scored.figure }, means.engine)).trees;
      trees.push(table, figure);
      texts.push(await table.text("photographs.txt"));
    }
    if (captured !== null) {
      const { correction } = networks;
      const views = captureViews(sourceFolder(captured.path), { ...choiceOf(means), correction });
      const scored = scoredCaptures(views, { methods, networks, refused: captured.refused });
      const { table, triplets: chosen } = (await reproduce(scored, means.engine)).trees;
      trees.push(table, chosen);
      texts.push(await table.text("other_views.txt"));
    }
    const files = new Map<string, Uint8Array>();
    for (const tree of trees) for (const path of tree.paths) files.set(path, await tree.bytes(path));
    await checkPlace(folder, { output, path, names: [...files.keys(), RECORD] });
    await putInPlace(folder, { files, identity });
    return { folder: output, files: [...files.keys(), RECORD].sort(), text: texts.join("\n") };
  } catch (error) {
    if (error instanceof AbortedError || error instanceof StoreError || error instanceof ReconstructError) throw error;
    throw new ReconstructError(plainReason(error), { cause: error });
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
