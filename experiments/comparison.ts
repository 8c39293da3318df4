/**
 * The paper's section 4.2: what is compared, and in which tables and figures.
 */
import type { Artifact } from "@ftim/pipeline";
import { figure3 } from "../stages/figures/figure3.ts";
import { smallPictures } from "../stages/figures/small_pictures.ts";
import { COMPARATORS, type Method } from "../stages/scores/parts/methods.ts";
import { type NetworkRow, ROW_LABELS, TABLE1_ROWS } from "../stages/scores/parts/table1_rows.ts";
import { fairness } from "../stages/tables/fairness.ts";
import { lpipsTable } from "../stages/tables/lpips_table.ts";
import { novelTable } from "../stages/tables/novel_table.ts";
import { table1 } from "../stages/tables/table1.ts";
import type { Means } from "./evaluation_data.ts";
import { regressFaces } from "./faces.ts";
import { mapValues } from "./map_values.ts";
import type { Reconstruct } from "./methods.ts";
import { secondOpinion } from "./scoring.ts";
import { font, showable } from "./shown_pictures.ts";

/** The texture model behind each comparator's row, as a footnote of Table 1 says it. */
const TEXTURE_MODELS = {
  deca: "a linear albedo fitted with a Gaussian prior (MAP)",
  chen: "that linear albedo and a displacement map that bends the normals, fitted to the photograph",
  deng: "a linear albedo fitted with a weak prior, robust weights in place of a skin mask, and a perceptual term",
  tran: "an albedo decoder without skip connections, trained on the same triplets",
};

/**
 * Every method beside ours in Table 1 and Figure 3, and, which the paper lacks, in other views, against true textures,
 * by LPIPS, by skin tone. In other views the first guess and the true textures stand beside the methods.
 * The networks of comparators' authors stand beside them where faces are drawn, not where textures are compared.
 */
export function comparison(
  methods: Record<Method, Reconstruct>,
  {
    data: { test, heldOut, training, facts = [], otherBytes, networks = { runs: {}, absent: {} } },
    scorers,
    guess,
    expectedFaces,
    shown,
  }:
    & Means
    & {
      readonly guess: Reconstruct;
      readonly expectedFaces: Record<string, number>;
    },
) {
  const { oracle } = scorers;
  const { images, searched: detections, crops, meshes, unwrapped } = test;
  const scores = mapValues(methods, (method) => scorers.real(method, { features: secondOpinion() }));
  const faces = regressFaces(test, training);
  const reconstructions = mapValues(methods, (method) => method(faces));
  const runs = networks.runs as Required<typeof networks.runs>;
  const renders = mapValues(runs, (network) => network.faces(test));
  const views = mapValues(runs, (network) => network.views(heldOut));
  const named: Partial<Record<NetworkRow, Artifact<"reconstructions">>> = Object.fromEntries(
    Object.entries(renders).map(([name, made]) => [`${name}_network`, made]),
  );
  const drawn = { ...reconstructions, ...named, ours: showable(reconstructions.ours, shown) };
  const figure = figure3({ reconstructions: drawn, crops, unwrapped, font: font() }, {
    rows: TABLE1_ROWS.filter((row) => row in drawn).map((name) => ({ name, label: ROW_LABELS[name] })),
  });
  return {
    table1: table1({
      scores,
      networks: mapValues(renders, (made) => scorers.real(() => made, { features: secondOpinion() })),
      images,
      detections,
      crops,
      meshes,
      ...(otherBytes && { otherBytes }),
    }, {
      expectedFaces,
      models: TEXTURE_MODELS,
      absent: networks.absent,
      facts: [...facts],
    }),
    figure3: figure,
    figure3Small: smallPictures({ figure }),
    others: novelTable({
      novel: mapValues(methods, scorers.novel),
      networks: mapValues(views, (made) => scorers.novel(() => made)),
      uv: scorers.truth === null ? {} : mapValues(methods, scorers.truth),
      guess: scorers.novel(guess),
      ...(scorers.truth && { guess_uv: scorers.truth(guess) }),
      ...(oracle && { oracle: oracle.novel }),
      bounds: scorers.bounds,
    }),
    lpips: lpipsTable({
      scores: mapValues(methods, scorers.lpips),
      networks: Object.fromEntries(
        COMPARATORS.filter((name) => name in runs).map((name) => {
          return [name, scorers.lpipsOf({ test: renders[name], views: views[name] })];
        }),
      ),
      guess: scorers.lpips(guess),
      ...(oracle && { oracle: oracle.lpips }),
    }),
    fairness: fairness({ scores, unwrapped, albedos: reconstructions.ours }),
    ...named,
    ...reconstructions,
  };
}
