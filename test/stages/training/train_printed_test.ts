/** FTIM as printed from three views of a face to a trained network and its textures. */
import assert from "node:assert/strict";
import { reconstruct } from "../../../stages/methods/reconstruct.ts";
import { reconstructPrinted } from "../../../stages/methods/reconstruct_printed.ts";
import { readSeen } from "../../../stages/faces/geometry.ts";
import { decodeNetwork } from "../../../stages/training/parts/network_file.ts";
import { ftimStoredShape, trainFtim } from "../../../stages/training/train.ts";
import { printedStoredShape, trainPrinted } from "../../../stages/training/train_printed.ts";
import { meanDifference } from "../face_lab.ts";
import { readMap } from "../geometry_lab.ts";
import { withScratch } from "../scratch.ts";
import { layTriplet, lossColumns, VIEWS } from "./training_lab.ts";

const SHAPE = { widths: [8, 16], fullWidth: 8 };

Deno.test("FTIM as printed learns what its template lacks; it and ours refuse each other's weights", () =>
  withScratch(async (scratch) => {
    const { data, faces } = await layTriplet(scratch);
    const settings = { learningRate: 1e-2, shape: SHAPE };
    const weights = trainPrinted(data, { ...settings, steps: 16 });
    const ours = trainFtim(data, { ...settings, steps: 1 });
    const { trees } = await scratch.run({
      weights,
      ours,
      one: trainPrinted(data, { ...settings, steps: 1, symmetry: "unseen" }),
      unwrapped: faces.unwrapped,
      made: reconstructPrinted({ ...faces, weights }),
    });

    const losses = lossColumns(await trees.weights.text("losses.csv"));
    const terms = ["photometric", "albedo", "identity", "mrf", "symmetry", "regularisation"];
    assert.deepEqual(Object.keys(losses), ["step", ...terms, "total"]);
    for (const [name, values] of Object.entries(losses)) {
      assert.ok(values.every((value) => value >= 0 && Number.isFinite(value)), name);
    }
    const photometric = losses.photometric!;
    assert.ok(photometric.at(-1)! < 0.9 * photometric[0]!, `${photometric}`);
    const withDecasMask = lossColumns(await trees.one.text("losses.csv"));
    assert.notEqual(withDecasMask.symmetry![0], losses.symmetry![0]);

    for (const key of VIEWS) {
      const seen = await readSeen(trees.unwrapped, key);
      const texture = await readMap(trees.made, `${key}.texture.png`);
      const wellSeen = seen.visibility.map((value) => value > 0.9 ? 1 : 0);
      const error = meanDifference(texture, seen.texture, wellSeen);
      assert.ok(error > 1e-3, `${key}: what is seen is the network's own too, and not put back: ${error}`);
      for (const kind of ["render", "albedo"]) assert.ok(trees.made.has(`${key}.${kind}.png`));
    }

    const [printedShape, ourShape] = await Promise.all(
      [trees.weights, trees.ours].map(async (tree) => decodeNetwork(await tree.bytes("network.safetensors")).shape),
    );
    assert.equal(printedStoredShape.parse(printedShape).network, "printed");
    assert.equal(ftimStoredShape.parse(ourShape).network, "first-guess");
    await assert.rejects(scratch.run({ wrong: reconstruct({ ...faces, weights }) }), /not of FTIM with a first guess/);
    await assert.rejects(
      scratch.run({ wrong: reconstructPrinted({ ...faces, weights: ours }) }),
      /not of FTIM as printed/,
    );
  }));

Deno.test("a stored shape that names no network is of FTIM with a first guess alone", () => {
  const unnamed = { ...SHAPE, codeLength: 5 };
  assert.equal(ftimStoredShape.parse(unnamed).network, "first-guess");
  assert.throws(() => printedStoredShape.parse(unnamed), /not of FTIM as printed/);
});
