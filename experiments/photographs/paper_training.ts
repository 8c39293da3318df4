/** The networks of a reproduction of `paper`, for photographs of one's own: they lie in its store and nowhere else. */
import { type Options, statusOf } from "@ftim/pipeline";
import { type PaperOptions, paperTraining } from "../paper.ts";
import { chosenRegressor, requirePaperData } from "../paper_data.ts";
import type { Trained } from "../photograph.ts";
import { ReconstructError } from "./refused.ts";

/**
 * What a reproduction of `paper` has trained.
 *
 * @param options those that it ran with
 * @param engine the store that it ran in
 * @throws {PaperDataError} if the data folder lacks what it needs
 * @throws {ReconstructError} if the store holds no such training, which takes hours: it is not begun here
 */
export async function checkedPaperTraining(options: PaperOptions, engine: Options): Promise<Trained> {
  await requirePaperData(options);
  const trained = paperTraining(options);
  const rows = await statusOf({ weights: trained.weights, model: trained.model }, engine);
  if (rows.every(({ state }) => state === "fresh")) return trained;
  throw new ReconstructError(
    "The store holds no training of paper with these data and options. Run `deno task reproduce --experiment paper` " +
      "first, and give the same --data, --store, --triplets, --steps, --schedule, --seed, --picked and --regressor " +
      `here. ${chosenRegressor(options).says}`,
  );
}
