/**
 * The paper's section 4.3: the full method without its parts, and in which tables and figures.
 */
import { figure4 } from "../stages/figures/figure4.ts";
import { figure4Views } from "../stages/figures/figure4_views.ts";
import { smallPictures } from "../stages/figures/small_pictures.ts";
import { lpipsAblation } from "../stages/tables/lpips_ablation.ts";
import { trainedName } from "../stages/tables/parts/trained_variants.ts";
import type { Variant } from "../stages/tables/parts/variants.ts";
import { table2 } from "../stages/tables/table2.ts";
import type { Means } from "./evaluation_data.ts";
import { regressFaces } from "./faces.ts";
import { mapValues } from "./map_values.ts";
import type { ablationVariants, Reconstruct } from "./methods.ts";
import { font, showable, showableViews } from "./shown_pictures.ts";

/**
 * Every variant beside the full method in Table 2 and Figure 4, and, which the paper lacks, in other
 * views, against true textures and by LPIPS.
 */
export function ablation(
  variants: ReturnType<typeof ablationVariants>,
  { data: { test, heldOut, training }, scorers, shown: allowed }: Means,
) {
  const trained = everyTraining(variants);
  const shown = { map: variants.map[0]!, plain: variants.plain[0]!, full: variants.full[0]! };
  const [real, made] = [regressFaces(test, training), regressFaces(heldOut, training)];
  const { crops, meshes } = heldOut;
  const details = figure4({
    crops: test.crops,
    meshes: test.meshes,
    topology: test.topology,
    ...mapValues(shown, (variant) => variant(real)),
    full: showable(shown.full(real), allowed),
    font: font(),
  });
  const triplets = showableViews(heldOut, allowed);
  const views = triplets && figure4Views({
    triplets,
    crops,
    meshes,
    ...mapValues(shown, (variant) => variant(made)),
    topology: heldOut.topology,
    font: font(),
  });
  return {
    table2: table2({
      real: mapValues(trained, (variant) => scorers.real(variant)),
      novel: mapValues(trained, scorers.novel),
      uv: scorers.truth === null ? {} : mapValues(trained, scorers.truth),
      ...(scorers.oracle && { oracle: scorers.oracle.novel }),
    }),
    figure4: details,
    figure4Small: smallPictures({ figure: details }),
    figure4Views: views,
    figure4ViewsSmall: views && smallPictures({ figure: views }),
    lpipsAblation: lpipsAblation({
      scores: mapValues(trained, scorers.lpips),
      ...(scorers.oracle && { oracle: scorers.oracle.lpips }),
    }),
  };
}

/** The trainings of all variants by the names that the ablation's tables know. */
function everyTraining(variants: Partial<Record<Variant, readonly Reconstruct[]>>): Record<string, Reconstruct> {
  return Object.fromEntries(
    (Object.entries(variants) as [Variant, readonly Reconstruct[]][]).flatMap(([variant, trainings]) =>
      trainings.map((method, i) => [trainedName(variant, i + 1), method])
    ),
  );
}
