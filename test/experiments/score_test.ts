/** `score` as a graph: what is computed for which methods, in whose words; and hand-picked triplets in experiments. */
import assert from "node:assert/strict";
import { graphOf, sourceFile, sourceFolder } from "@ftim/pipeline";
import { embedded } from "../../experiments/embedded.ts";
import { paper } from "../../experiments/paper.ts";
import { unpacked } from "../../experiments/photograph.ts";
import { activityOf } from "../../experiments/photographs/words.ts";
import { captureViews, SCORED, scoredCaptures, scoredPhotographs } from "../../experiments/score.ts";

const { trained, printedWeights: printed, tranWeights: tran, linearModel } = embedded();
const others = { printed, tran, linearModel };
const committed = { ...unpacked(sourceFile("trained.safetensors")), ...others };
const own = { ...unpacked(trained), ...others };
const photographs = sourceFolder("photographs");
const overlays = [{ label: "MICA", pictures: sourceFolder("mica") }];

const stagesOf = (graph: ReturnType<typeof graphOf>) =>
  new Set(graph.flatMap(({ kind, label }) => kind === "stage" ? [label.replace(/-\d+$/, "")] : []));

Deno.test("a method whose network is committed trains nothing; the others are those of the experiment", () => {
  const methods = ["ours", "deca", "guess"] as const;
  const few = stagesOf(graphOf(scoredPhotographs(photographs, { methods, networks: committed, overlays })));
  assert.deepEqual([...few].filter((stage) => /^(train|synthesize)/.test(stage)), []);
  assert.ok(few.has("overlay") && few.has("reconstruct") && !few.has("compare_chen"));
  // the comparators' own face model is not in the file
  const [ours, deca] = (["ours", "deca"] as const).map((name) => {
    return stagesOf(graphOf(scoredPhotographs(photographs, { methods: [name], networks: committed, overlays: [] })));
  });
  assert.deepEqual([ours!.has("fit_morphable"), deca!.has("fit_morphable")], [false, true]);
  const all = stagesOf(graphOf(scoredPhotographs(photographs, { methods: SCORED, networks: own, overlays: [] })));
  for (const stage of ["train", "train_printed", "train_tran", "compare_deng", "without_ftim"]) {
    assert.ok(all.has(stage), stage);
  }
  assert.ok(!all.has("overlay"));
});

Deno.test("every stage of a score has words for what it does", () => {
  const views = captureViews(sourceFolder("captures"), { correction: own.correction });
  const graph = graphOf({
    ...scoredPhotographs(photographs, { methods: SCORED, networks: own, overlays }),
    views: scoredCaptures(views, { methods: SCORED, networks: own }).table,
  });
  for (const stage of stagesOf(graph)) assert.notEqual(activityOf(stage), "computing", stage);
});

Deno.test("hand-picked triplets take the place of drawn ones in the training of both experiments", () => {
  for (const [name, experiment] of Object.entries({ embedded, paper })) {
    const picked = graphOf({ weights: experiment({ picked: "mine.csv" }).weights });
    const csv = picked.find(({ label }) => label === "mine.csv");
    assert.ok(csv !== undefined, name);
    const readers = picked.filter(({ inputs }) => inputs.includes(csv.id));
    assert.deepEqual(readers.map(({ label }) => label.replace(/-\d+$/, "")), ["triplets"], name);
    const drawn = graphOf({ weights: experiment({}).weights });
    assert.ok(!drawn.some(({ label }) => label === "mine.csv"), name);
  }
});
