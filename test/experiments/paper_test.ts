import assert from "node:assert/strict";
import { paper } from "../../experiments/paper.ts";
import {
  chosenRegressor,
  PaperDataError,
  paperFacts,
  requirePaperData,
  splitCaptures,
  testPhotographs,
} from "../../experiments/paper_data.ts";
import { DECA_NEEDS } from "../../experiments/regressors.ts";
import { type Artifact, graphOf, sourceFolder } from "@ftim/pipeline";
import { chooseSources } from "../../stages/geometry/fit_morphable.ts";
import { choosePhotographs } from "../../stages/data/chosen_photographs.ts";
import { withScratch } from "../stages/scratch.ts";
import { putOptionalFiles } from "./network_files.ts";

type StageNode = Extract<Artifact["node"], { type: "stage" }>;

function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    Deno.mkdirSync(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${folder}/${path}`, text);
  }
}

Deno.test("every tenth person of FaceScape is held out, and nobody is on both sides", () =>
  withScratch(async ({ folder, run }) => {
    const persons = [1, 2, 3, 10, 11, 20, 21, 30, 31, 32, 40, 41];
    put(folder, {
      ...Object.fromEntries(persons.map((id) => [`facescape/images/${id}/1_neutral/0.jpg`, `${id}`])),
      "facescape/images/notes.txt": "not a person",
    });
    const { trees } = await run(splitCaptures(folder));
    const of = (paths: readonly string[]) => paths.map((path) => Number(path.split("/")[0])).sort((a, b) => a - b);
    assert.deepEqual(of(trees.heldOut.paths), [2, 41]);
    assert.deepEqual(of(trees.training.paths), [1, 3, 10, 11, 20, 21, 30, 31, 32, 40]);
  }));

Deno.test("the test set is drawn from CelebA's test partition, by the seed", () =>
  withScratch(async ({ folder, run }) => {
    const partitions = [0, 2, 1, 2, 2];
    const name = (i: number) => `00000${i + 1}.jpg`;
    put(folder, {
      ...Object.fromEntries(partitions.map((_, i) => [`celeba/img_align_celeba/${name(i)}`, `${i}`])),
      "celeba/list_eval_partition.txt": `. 2\n${partitions.map((p, i) => `${name(i)} ${p}\r\n`).join("")}`,
    });
    const draw = async (count: number, seed: number) => {
      return (await run({ some: testPhotographs(folder, { count, seed }) })).trees.some.paths;
    };
    assert.deepEqual(await draw(9, 1), ["000002.jpg", "000004.jpg", "000005.jpg"]);
    const pairs = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => draw(2, seed)));
    assert.ok(pairs.every(({ length }) => length === 2));
    assert.ok(new Set(pairs.map(String)).size > 1, "the seed draws");
    assert.deepEqual(await draw(2, 1), pairs[0]);
    await Deno.remove(`${folder}/celeba/img_align_celeba/000004.jpg`);
    assert.deepEqual(await draw(9, 1), ["000002.jpg", "000005.jpg"], "of those that are there");
    put(folder, { "celeba/list_eval_partition.txt": "<html>Quota exceeded</html>" });
    assert.throws(() => testPhotographs(folder, { count: 2, seed: 1 }), PaperDataError);
  }));

Deno.test("what is absent from the data folder is named, with whom to ask and where to put it", () =>
  withScratch(async ({ folder, run }) => {
    const of = async (artifacts: Parameters<typeof run>[0]) => await run(artifacts).then(() => "", String);
    await assert.rejects(
      requirePaperData({ data: folder }),
      /facescape\/images[^]*Nanjing[^]*img_align_celeba[^]*list_eval_partition[^]*vgg19-dcbb9e9d[^]*torchvision/,
    );
    put(folder, { "vgg19/vgg19-dcbb9e9d.pth": "half" });
    await assert.rejects(
      requirePaperData({ data: folder }),
      /vgg19-dcbb9e9d\.pth has 4 of 574673361 bytes, and .*halfway/,
    );
    await assert.rejects(
      requirePaperData({ data: `${folder}/vgg19/vgg19-dcbb9e9d.pth` }),
      /vgg19-dcbb9e9d\.pth is a file: --data names the folder/,
    );
    await Deno.remove(`${folder}/vgg19`, { recursive: true });
    const { training } = splitCaptures(folder);
    assert.match(await of({ training }), /facescape\/images[^]*who grants it: [^]*Nanjing[^]*without it: /);
    assert.match(
      await of({ photographs: testPhotographs(folder, { count: 9, seed: 1 }) }),
      /img_align_celeba[^]*Chinese University/,
    );
    put(folder, { "celeba/img_align_celeba/000001.jpg": "" });
    assert.match(
      await of({ photographs: testPhotographs(folder, { count: 9, seed: 1 }) }),
      /list_eval_partition\.txt is not there/,
    );
    const { weights } = paper({ data: folder });
    assert.match(await of({ weights }), /is not there/);
    put(folder, { "facescape/images/7/1_neutral/0.jpg": "" });
    await Deno.mkdir(`${folder}/facescape/images/8/1_neutral`, { recursive: true });
    await Deno.mkdir(`${folder}/facescape/images/9`);
    assert.throws(() => splitCaptures(folder), /1 persons: at least two are needed, as <id>/);
  }));

Deno.test("DECA is the regressor where all its files are there, or where it is asked for; which it is, is said", () =>
  withScratch(async ({ folder }) => {
    const stages = (options: Parameters<typeof paper>[0]) =>
      new Set(
        graphOf({ weights: paper({ data: folder, ...options }).weights }).map(({ label }) =>
          label.replace(/-\d+$/, "")
        ),
      );
    const toldIn = ({ table1 }: ReturnType<typeof paper>) => {
      return ((table1.node as StageNode).params as { facts: string[] }).facts[0]!;
    };
    const { name, says } = chosenRegressor({ data: folder });
    assert.equal(name, "facemesh");
    assert.match(
      says,
      /face mesh network in place of the paper's DECA, for .* lacks deca\/deca_model\.tar, flame\/generic/,
    );
    assert.match(toldIn(paper({ data: folder })), /is a face mesh network .* in place of the paper's DECA/);
    assert.deepEqual(["mesh", "deca"].map((stage) => stages({}).has(stage)), [true, false]);
    assert.deepEqual(["mesh", "deca"].map((stage) => stages({ regressor: "deca" }).has(stage)), [false, true]);
    await assert.rejects(
      requirePaperData({ data: folder, regressor: "deca" }),
      /deca_model\.tar[^]*uv_face_eye_mask\.png/,
    );
    const files = DECA_NEEDS.map((id) => [id.replace("paper/", ""), ""] as const);
    put(folder, Object.fromEntries(files));
    assert.match(chosenRegressor({ data: folder }).says, /DECA with FLAME/);
    assert.match(chosenRegressor({ data: folder, regressor: "facemesh" }).says, /face mesh network .* as you asked/);
    assert.match(toldIn(paper({ data: folder })), /is DECA with FLAME, as in the paper; its albedo space was absent/);
    assert.deepEqual(["deca", "fit_morphable"].map((stage) => stages({}).has(stage)), [true, true]);
    put(folder, { "bfm/FLAME_albedo_from_BFM.npz": "" });
    assert.match(toldIn(paper({ data: folder })), /is DECA with FLAME, as in the paper\.$/);
    assert.deepEqual(["deca", "fit_morphable"].map((stage) => stages({}).has(stage)), [true, false]);
  }));

Deno.test("identity is scored by FaceNet where its file is there, and the notes say by what", () =>
  withScratch(async ({ folder }) => {
    const scoring = () => {
      const { table1 } = paper({ data: folder });
      const { inputs, params } = table1.node as StageNode;
      const { recognition } = (inputs["scores/ours"] as StageNode).inputs;
      return { fact: (params as { facts: string[] }).facts[1]!, fetched: recognition!.type === "stage" };
    };
    assert.deepEqual(scoring(), {
      fact: "The cosine is of the descriptors of a packaged network in place of the paper's FaceNet, for " +
        "facenet/20180402-114759-vggface2.pt is absent.",
      fetched: true,
    });
    put(folder, { "facenet/20180402-114759-vggface2.pt": "" });
    assert.deepEqual(scoring(), { fact: "The cosine is of FaceNet's descriptors, as the paper's.", fetched: false });
    await assert.rejects(requirePaperData({ data: folder }), /vggface2\.pt has 0 of 111898327 bytes, and .*halfway/);
  }));

Deno.test("figures show the persons of FaceScape's list alone, and none without it", () =>
  withScratch(({ folder }) => {
    put(
      folder,
      Object.fromEntries([1, 2, 3, 12].map((id) => [`facescape/images/${id}/1_neutral/0.jpg`, `${id}`])),
    );
    const shown = () => {
      const { figure4Views } = paper({ data: folder });
      if (figure4Views === null) return null;
      const { triplets } = (figure4Views.node as StageNode).inputs;
      return ((triplets as StageNode).params as { persons: string[] }).persons;
    };
    assert.equal(shown(), null);
    put(folder, { "facescape/publishable_list_v1.txt": "122, 12, 340" });
    assert.equal(shown(), null, "of these the only one held out is 2");
    put(folder, { "facescape/publishable_list_v1.txt": "122, 2, 340" });
    assert.deepEqual(shown(), ["2"]);
    for (const text of ["list, version 2\n1, 10", "<!doctype html>404, 2", "1-3", ""]) {
      put(folder, { "facescape/publishable_list_v1.txt": text });
      assert.equal(shown(), null, text);
    }
    assert.match(paperFacts({ data: folder }).at(-1)!, /publishable_list_v1\.txt, which must hold numbers and commas/);
    return Promise.resolve();
  }));

Deno.test("the data funnel is scored where FaceScape's frames are there", () =>
  withScratch(({ folder }) => {
    put(folder, {
      "facescape/images/1/1_neutral/0.jpg": "",
      "facescape/images/2/1_neutral/0.jpg": "",
    });
    assert.equal(paper({ data: folder }).filter, null);
    put(folder, { "facescape/Rt_scale_dict.json": "{}" });
    const { filter } = paper({ data: folder });
    assert.ok(graphOf({ filter: filter! }).some(({ label }) => label.startsWith("camera_truth")));
    return Promise.resolve();
  }));

Deno.test("paper trains at a constant rate, and as embedded where that is asked for", () =>
  withScratch(({ folder }) => {
    const scheduleOf = (options: Parameters<typeof paper>[0]) => {
      return ((paper({ data: folder, ...options }).weights.node as StageNode).params as { schedule: string }).schedule;
    };
    assert.equal(scheduleOf({}), "constant");
    assert.equal(scheduleOf({ schedule: "falling" }), "falling");
    return Promise.resolve();
  }));

Deno.test("the networks of comparators are scored where their files are, and their rows say which are absent", () =>
  withScratch(({ folder }) => {
    const networksOf = () => {
      const { table1, figure3, ...offered } = paper({ data: folder });
      const [table, figure] = [table1.node, figure3.node] as [StageNode, StageNode];
      const networksIn = ({ node }: Artifact) =>
        Object.keys((node as StageNode).inputs).filter((name) => name.startsWith("networks/")).sort();
      const { rows } = figure.params as { rows: { name: string }[] };
      return {
        scored: [table1, offered.others, offered.lpips].map(networksIn),
        absent: (table.params as { absent: Record<string, string> }).absent,
        drawn: rows.map(({ name }) => name).filter((name) => name.endsWith("_network")),
        offered: Object.keys(offered).filter((name) => name.endsWith("_network")),
      };
    };
    const empty = networksOf();
    assert.deepEqual([empty.scored, empty.drawn, empty.offered], [[[], [], []], [], []]);
    assert.match(
      empty.absent.deng!,
      /^deng\/epoch_20\.pth, deng\/BFM_model_front\.mat, deng\/similarity.*\(granted by The authors/,
    );
    assert.deepEqual(Object.keys(empty.absent), ["chen", "deca", "deng", "tran"]);
    putOptionalFiles(folder);
    const all = networksOf();
    assert.deepEqual(all.absent, {});
    const scored = ["networks/deca", "networks/chen", "networks/deng", "networks/tran"].sort();
    assert.deepEqual(all.scored, [scored, scored, scored]);
    const rows = ["deca_network", "chen_network", "deng_network", "tran_network"];
    assert.deepEqual([all.drawn, all.offered.toSorted()], [rows, rows.toSorted()]);
    return Promise.resolve();
  }));

Deno.test("the morphable model is learned from frontal views, and from a few of each person", () => {
  const photographs = ["1/a", "1/b", "2/a", "1/c", "1/d", "2/b"].map((key) => ({ key, identity: key[0]! }));
  const triplets = ["1/b", "1/c", "1/d", "2/a"].map((key) => ({ views: ["1/a", key, "2/b"] as const }));
  const keys = (options: Parameters<typeof chooseSources>[1]) =>
    chooseSources(photographs, options).map(({ key }) => key);
  assert.deepEqual(keys({ triplets }), ["1/b", "2/a", "1/c", "1/d"]);
  assert.deepEqual(keys({ triplets, perPerson: 2 }), ["1/b", "2/a", "1/c"]);
  assert.deepEqual(keys({ perPerson: 1 }), ["1/a", "2/a"]);
  assert.deepEqual(keys({}), photographs.map(({ key }) => key));
});

Deno.test("of all detections only those of the triplets' photographs go on", () =>
  withScratch(async ({ folder, run }) => {
    const triplet = (...views: string[]) => ({ identity: "1", expression: "", views, yaws: [-20, 0, 20] });
    put(folder, {
      "detections/1/a/0.json": "{}",
      "detections/1/a/1.json": '{"faces":[]}',
      "detections/1/a/2.json": "{}",
      "detections/2/a/0.json": "{}",
      "triplets/triplets.json": JSON.stringify({
        triplets: [triplet("1/a/0/0", "1/a/1/0", "2/a/0/0"), triplet("1/a/0/0", "1/a/1/0", "1/a/1/0")],
      }),
    });
    const source = <Kind extends string>(name: string, kind: Kind) => ({
      ...sourceFolder(`${folder}/${name}`),
      kind,
    });
    const chosen = choosePhotographs({
      detections: source("detections", "detections"),
      triplets: source("triplets", "triplets"),
    });
    const { trees } = await run({ chosen });
    assert.deepEqual(trees.chosen.paths, ["1/a/0.json", "1/a/1.json", "2/a/0.json"]);
    assert.equal(await trees.chosen.text("1/a/1.json"), '{"faces":[]}');
  }));
