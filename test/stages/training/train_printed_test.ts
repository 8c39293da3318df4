/** FTIM as printed from three views of a face to a trained network and its textures. */
import assert from "node:assert/strict";
import { applyOperatorCpu } from "../../../face/render.ts";
import { cast, sourceFolder } from "@ftim/pipeline";
import { assets as packaged } from "../../../stages/data/fetch.ts";
import type { Triplets } from "../../../stages/data/triplets.ts";
import { reconstruct } from "../../../stages/methods/reconstruct.ts";
import { reconstructPrinted } from "../../../stages/methods/reconstruct_printed.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { decodeNetwork } from "../../../stages/training/parts/network_file.ts";
import { ftimStoredShape, trainFtim } from "../../../stages/training/train.ts";
import { printedStoredShape, trainPrinted } from "../../../stages/training/train_printed.ts";
import { makeFace, meanDifference, SIZE } from "../face_lab.ts";
import { geometryStages, layFaces, readMap } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";

const VIEWS = ["left/0", "front/0", "right/0"] as const;
const YAWS = [-30, 0, 30] as const;
const SHAPE = { widths: [8, 16], fullWidth: 8 };

/** A view of a face with dark bands, which the face model cannot express, so that there is something to learn. */
function bandedFace(yaw: number) {
  const face = makeFace({ yaw });
  const banded = face.texture.map((value, i) => Math.floor(i / 3 / SIZE) % 16 < 8 ? 0.5 * value : value);
  const render = applyOperatorCpu(face.operator, banded);
  const data = render.map((value, i) => value + (1 - face.operator.coverage[Math.floor(i / 3)]!) * 0.3);
  return { ...face, picture: { ...face.picture, data } };
}

Deno.test("FTIM as printed learns what its template lacks; it and ours refuse each other's weights", () =>
  withScratch(async (scratch) => {
    await layFaces(scratch, Object.fromEntries(VIEWS.map((key, i) => [key, bandedFace(YAWS[i]!)])));
    const written: Triplets = {
      bins: [],
      triplets: [{ identity: "a", expression: "neutral", views: VIEWS, yaws: YAWS }],
      funnel: { photographs: 3, inBins: [1, 1, 1], groups: 1, possible: 1, chosen: 1 },
    };
    await scratch.write("triplets/triplets.json", JSON.stringify(written));
    const { guesses, shared } = geometryStages(scratch.folder);
    const data = {
      ...shared,
      guesses,
      triplets: cast(sourceFolder(`${scratch.folder}/triplets`), "triplets"),
      identity: packaged("models/face_recognition_model"),
    };
    const settings = { learningRate: 4e-3, shape: SHAPE };
    const weights = trainPrinted(data, { ...settings, steps: 12 });
    const faces = { ...shared, guesses };
    const { trees } = await scratch.run({
      weights,
      other: trainFtim(data, { ...settings, steps: 1 }),
      one: trainPrinted(data, { ...settings, steps: 1, symmetry: "unseen" }),
      unwrapped: shared.unwrapped,
      made: reconstructPrinted({ ...faces, weights }),
    });

    const [names, ...rows] = (await trees.weights.text("losses.csv")).trim().split("\n").map((line) => line.split(","));
    const column = (name: string) => rows.map((row) => Number(row[names!.indexOf(name)]));
    const terms = ["photometric", "albedo", "identity", "mrf", "symmetry", "regularisation"];
    assert.deepEqual(names, ["step", ...terms, "total"]);
    for (const name of terms) assert.ok(column(name).every((value) => value >= 0 && Number.isFinite(value)), name);
    const photometric = column("photometric");
    assert.ok(photometric.at(-1)! < 0.8 * photometric[0]!, `${photometric}`);
    const ofDeca = Number((await trees.one.text("losses.csv")).trim().split("\n")[1]!.split(",")[5]);
    assert.notEqual(ofDeca, column("symmetry")[0], "DECA's mask is another one");

    for (const key of VIEWS) {
      const seen = await readSeen(trees.unwrapped, key);
      const texture = await readMap(trees.made, `${key}.texture.png`);
      const wellSeen = seen.visibility.map((value) => value > 0.9 ? 1 : 0);
      const error = meanDifference(texture, seen.texture, wellSeen);
      assert.ok(error > 1e-3, `${key}: what is seen is the network's own too, and not put back: ${error}`);
      for (const kind of ["render", "albedo"]) assert.ok(trees.made.has(`${key}.${kind}.png`));
    }

    const shapes = await Promise.all(
      [trees.weights, trees.other].map(async (tree) => decodeNetwork(await tree.bytes("network.safetensors")).shape),
    );
    assert.equal(printedStoredShape.parse(shapes[0]).network, "printed");
    assert.equal(ftimStoredShape.parse(shapes[1]).network, "first-guess");
    await assert.rejects(scratch.run({ wrong: reconstruct({ ...faces, weights }) }), /not of FTIM with a first guess/);
    const other = trainFtim(data, { ...settings, steps: 1 });
    await assert.rejects(
      scratch.run({ wrong: reconstructPrinted({ ...faces, weights: other }) }),
      /not of FTIM as printed/,
    );
  }));

Deno.test("a stored shape that names no network is of FTIM with a first guess alone", () => {
  const unnamed = { ...SHAPE, codeLength: 5 };
  assert.equal(ftimStoredShape.parse(unnamed).network, "first-guess");
  assert.throws(() => printedStoredShape.parse(unnamed), /not of FTIM as printed/);
});
