/** Where the stages of all experiments compute, as they declare it: with a reason, and as docs/backends.md says. */
import assert from "node:assert/strict";
import { type Artifact, type Computes, graphOf, sourceFile, sourceFolder } from "@ftim/pipeline";
import { embedded } from "../../experiments/embedded.ts";
import { freeFaces, person, photograph, recognised, unpacked } from "../../experiments/photograph.ts";
import { paper } from "../../experiments/paper.ts";
import { captureViews, SCORED, scoredCaptures, scoredPhotographs } from "../../experiments/score.ts";
import { putOptionalFiles } from "./network_files.ts";

/** Why something may stay on the CPU. */
const REASONS = [
  /(^|: )bookkeeping$/,
  /: file formats$/,
  /: a small solve$/,
  /beside the network$/,
];

function stagesOf(artifacts: Readonly<Record<string, Artifact | null>>): Map<string, Computes> {
  const targets = Object.entries(artifacts).flatMap(([name, artifact]) => artifact === null ? [] : [[name, artifact]]);
  const stages = graphOf(Object.fromEntries(targets)).filter(({ kind }) => kind === "stage");
  return new Map(stages.map(({ label, computes }) => [label.replace(/-\d+$/, ""), computes]));
}

const networks = Deno.makeTempDirSync({ prefix: "ftim-networks-" });
putOptionalFiles(networks);
for (const person of [1, 2]) {
  Deno.mkdirSync(`${networks}/facescape/images/${person}`, { recursive: true });
  Deno.writeTextFileSync(`${networks}/facescape/images/${person}/0.jpg`, "");
}
Deno.writeTextFileSync(`${networks}/facescape/publishable_list_v1.txt`, "2");
const [photographs, trainedFile] = [sourceFolder("photographs"), unpacked(sourceFile("trained.safetensors"))];
const { trained, printedWeights: printed, tranWeights: tran, linearModel } = embedded();
const scoring = { methods: SCORED, networks: { ...unpacked(trained), printed, tran, linearModel } };
const captures = captureViews(sourceFolder("captures"), { correction: scoring.networks.correction });
const overlays = [{ label: "another program", pictures: sourceFolder("overlays") }];
const experiments = {
  embedded: stagesOf(embedded({ seeds: 2 })),
  "embedded, second sets": stagesOf(embedded({ sets: "second" })),
  "embedded, second sets' validation": stagesOf(embedded({ sets: "second", on: "validation" })),
  paper: stagesOf(paper({ data: "data" })),
  "paper with DECA": stagesOf(paper({ data: "data", regressor: "deca" })),
  networks: stagesOf(paper({ data: networks })),
  photograph: stagesOf(photograph(photographs, trainedFile)),
  person: stagesOf({
    ...person(photographs, trainedFile),
    recognised: recognised(freeFaces(photographs, trainedFile)),
  }),
  score: stagesOf({
    ...scoredPhotographs(photographs, { ...scoring, overlays }),
    views: scoredCaptures(captures, scoring).table,
  }),
};

Deno.removeSync(networks, { recursive: true });

Deno.test("each stage of all experiments says where it computes, and why what it leaves to the CPU is there", () => {
  for (const [experiment, stages] of Object.entries(experiments)) {
    assert.ok(stages.size > 10, experiment);
    for (const [stage, computes] of stages) {
      const backends = Object.keys(computes);
      assert.ok(backends.length > 0, `${experiment}: ${stage} does not say where it computes`);
      for (const backend of backends) assert.ok(["webgpu", "onnxruntime", "cpu"].includes(backend), backend);
      for (const part of computes.cpu?.split("; ") ?? []) {
        assert.ok(REASONS.some((reason) => reason.test(part)), `${experiment}: ${stage}: why "${part}"?`);
      }
    }
  }
});

Deno.test("the table of docs/backends.md is what the stages declare", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/backends.md", import.meta.url));
  const rows = text.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  const table = new Map(rows.map(([stage = "", ...cells]) => [stage.replaceAll("`", ""), cells]));
  const declared = new Map(Object.values(experiments).flatMap((stages) => [...stages]));
  for (const [stage, { webgpu = "–", onnxruntime = "–", cpu = "–" }] of declared) {
    assert.deepEqual(table.get(stage), [webgpu, onnxruntime, cpu], stage);
  }
  // stands in the place of fetch where a person has put a licensed file into the data folder
  assert.deepEqual([...table.keys()].filter((stage) => !declared.has(stage)), ["admit"]);
});
