/**
 * The rows of the ablation's tables with their trainings: `photometric.2` is the second training without the
 * photometric loss. A variant that nothing was trained for has the first alone.
 */
import { MORE, UNTRAINED, type Variant, VARIANT_LABELS, VARIANTS } from "./variants.ts";

/** A score of one training of a variant. */
export type Trained<Score> = Score & { readonly training: number };

/** The name of a training, counted from 1, of a variant. */
export function trainedName(variant: Variant, training: number): string {
  return `${variant}.${training}`;
}

/** Whole numbers that are written as text, in the order of their values. */
export function inNumberOrder(numbers: readonly string[]): string[] {
  return numbers.toSorted((a, b) => Number(a) - Number(b));
}

/**
 * The trainings that the full method has scores of.
 *
 * @throws {TypeError} if it has none
 */
export function trainingsOf(trees: Readonly<Record<string, unknown>>): number[] {
  const numbers = Object.keys(trees).flatMap((name) => /^full\.(\d+)$/.exec(name)?.[1] ?? []);
  if (numbers.length === 0) throw new TypeError("The ablation has no scores of the full method");
  return inNumberOrder(numbers).map(Number);
}

/** The rows in order, those of {@link MORE} only if there are scores of them. */
export function rowsOf(trees: Readonly<Record<string, unknown>>): Variant[] {
  const named = (variant: Variant) => Object.keys(trees).some((name) => name.startsWith(`${variant}.`));
  return VARIANTS.filter((variant) => !MORE.includes(variant) || named(variant));
}

/**
 * The scores of all trainings of a variant; those of one that was not trained stand beside each training.
 *
 * @throws {TypeError} if a training has no scores
 */
export async function everyTraining<Tree, Score>(
  variant: Variant,
  { trainings, trees, read }: {
    trainings: readonly number[];
    /** Where the scores of each training of each variant are, by {@link trainedName}. */
    trees: Readonly<Record<string, Tree>>;
    read: (tree: Tree) => Promise<readonly Score[]>;
  },
): Promise<Trained<Score>[]> {
  const each = await Promise.all(trainings.map(async (training) => {
    const tree = trees[trainedName(variant, UNTRAINED.includes(variant) ? 1 : training)];
    if (tree === undefined) {
      throw new TypeError(`The ablation has no scores of training ${training} ${VARIANT_LABELS[variant]}`);
    }
    return (await read(tree)).map((score) => ({ ...score, training }));
  }));
  return each.flat();
}
