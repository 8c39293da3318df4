/**
 * The rows of the ablation's tables with their trainings: `photometric_2` is the second training without the
 * photometric loss. A variant that nothing was trained for has the first alone.
 *
 * @module
 */
import { type Training, TRAININGS } from "./trainings.ts";
import { MORE, UNTRAINED, type Variant, VARIANT_LABELS, VARIANTS } from "./variants.ts";

/** A variant and a training. */
export type TrainedVariant = `${Variant}_${Training}`;
/** All that there can be. */
export const TRAINED_VARIANTS: readonly TrainedVariant[] = VARIANTS.flatMap((variant) =>
  TRAININGS.map((training) => `${variant}_${training}` as const)
);

/** A score of one training of a variant. */
export type Trained<Score> = Score & { readonly training: Training };

/**
 * The trainings that the full method has scores of.
 *
 * @throws {TypeError} if it has none
 */
export function trainingsOf(has: (role: TrainedVariant) => boolean): Training[] {
  const trainings = TRAININGS.filter((training) => has(`full_${training}`));
  if (trainings.length === 0) throw new TypeError("The ablation has no scores of the full method");
  return trainings;
}

/** The rows in order, those of {@link MORE} only if there are scores of them. */
export function rowsOf(has: (role: TrainedVariant) => boolean): Variant[] {
  return VARIANTS.filter((variant) =>
    !MORE.includes(variant) || TRAININGS.some((training) => has(`${variant}_${training}`))
  );
}

/**
 * The scores of all trainings of a variant; those of one that was not trained stand beside each training.
 *
 * @throws {TypeError} if a training has no scores
 */
export async function everyTraining<Score>(
  variant: Variant,
  { trainings, read }: {
    trainings: readonly Training[];
    read: (role: TrainedVariant) => Promise<readonly Score[] | undefined> | undefined;
  },
): Promise<Trained<Score>[]> {
  const each = await Promise.all(trainings.map(async (training) => {
    const found = await read(`${variant}_${UNTRAINED.includes(variant) ? 1 : training}`);
    if (found === undefined) {
      throw new TypeError(`The ablation has no scores of training ${training} ${VARIANT_LABELS[variant]}`);
    }
    return found.map((score) => ({ ...score, training }));
  }));
  return each.flat();
}
