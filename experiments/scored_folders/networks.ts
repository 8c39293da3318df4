/** The networks of the methods that are scored. */
import { statusOf } from "@ftim/pipeline";
import { embedded } from "../embedded.ts";
import { unpacked } from "../photograph.ts";
import { checkedTraining } from "../photographs/training.ts";
import type { ScoreNetworks } from "../score.ts";
import { type Means, PACKED } from "./options.ts";

/**
 * The networks. FTIM with a first guess is in a committed file; the others are those of the experiment `embedded`, and
 * so that both FTIMs and Tran's decoder have one face model, so is all else where they are asked for. The model of the
 * comparators with a linear albedo is always the experiment's.
 */
export async function networksOf(means: Means): Promise<ScoreNetworks> {
  const { methods, training = {}, trained: own, results, engine = {}, here, work, say } = means;
  const { trained, printedWeights: printed, tranWeights: tran, linearModel } = embedded(training);
  const others = { printed, tran, linearModel };
  if (methods.every((name) => PACKED.includes(name))) {
    const packed = await checkedTraining({
      training,
      here,
      engine,
      work,
      say,
      ...(own === undefined ? {} : { trained: own }),
      ...(results === undefined ? {} : { results }),
    });
    return { ...await packed(), ...others };
  }
  const needed = {
    trained,
    ...(methods.includes("printed") && { printed }),
    ...(methods.includes("tran") && { tran }),
  };
  const rows = await statusOf(needed, engine);
  if (rows.some(({ state }) => state !== "fresh")) {
    say(
      "Networks of these methods are not here yet, so they are trained first, as `reproduce` does: a quarter " +
        "of an hour on two cores without a GPU, far less with one. They are kept for the next run, and Ctrl-C loses " +
        `little. Without a training: --methods ${PACKED.join(",")}.`,
    );
  }
  return { ...unpacked(trained), ...others };
}
