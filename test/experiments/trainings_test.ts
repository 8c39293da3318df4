/** What the trainings behind each table are: all losses for the methods, and one less in each row of the ablation. */
import assert from "node:assert/strict";
import type { Artifact } from "@ftim/pipeline";
import { PAPER_WEIGHTS } from "../../nets/losses.ts";
import { embedded } from "../../experiments/embedded.ts";
import { paper } from "../../experiments/paper.ts";

interface Training {
  readonly stage: string;
  readonly learningRate: number;
  readonly weights?: Readonly<Record<string, number>>;
}

/** The training stages that an artifact is made by. */
function trainingsOf(artifact: Artifact): Training[] {
  const found = new Map<unknown, Training>();
  const seen = new Set<unknown>();
  const visit = (node: Artifact["node"]): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.type === "pick") return visit(node.from);
    if (node.type !== "stage") return;
    if (node.stage.name.startsWith("train")) {
      found.set(node, { stage: node.stage.name, ...node.params as Omit<Training, "stage"> });
    }
    for (const input of Object.values(node.inputs)) visit(input);
  };
  visit(artifact.node);
  return [...found.values()];
}

for (const [name, { table1, others, table2 }] of Object.entries({ embedded: embedded(), paper: paper() })) {
  Deno.test(`${name}: both FTIMs of the tables of methods are trained by all losses, at a rate`, () => {
    for (const table of [table1, others]) {
      const trainings = trainingsOf(table);
      const stages = [...new Set(trainings.map(({ stage }) => stage))].sort();
      assert.deepEqual(stages, ["train", "train_printed", "train_tran"]);
      for (const { stage, learningRate, weights } of trainings) {
        assert.ok(learningRate > 0, stage);
        if (stage !== "train_tran") assert.deepEqual(weights, PAPER_WEIGHTS, stage);
      }
    }
  });

  Deno.test(`${name}: each row of the ablation leaves out its loss and no other`, () => {
    const left = trainingsOf(table2).filter(({ stage }) => stage === "train")
      .map(({ weights = {} }) => Object.keys(weights).filter((loss) => weights[loss] === 0).join("+"));
    assert.deepEqual(
      [...new Set(left)].sort(),
      ["", ...Object.keys(PAPER_WEIGHTS), "mrf+symmetry"].sort(),
    );
    for (const { weights = {} } of trainingsOf(table2)) {
      for (const [loss, weight] of Object.entries(weights)) {
        assert.ok(weight === 0 || weight === PAPER_WEIGHTS[loss as keyof typeof PAPER_WEIGHTS], loss);
      }
    }
  });
}
