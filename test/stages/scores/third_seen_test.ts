import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { pictureOperator } from "../../../face/render_cpu.ts";
import { encodeGreyPng, encodePng, readImage } from "../../../stages/faces/photograph.ts";
import { encodeMesh } from "../../../stages/faces/geometry.ts";
import { LEAST_REVEALED } from "../../../stages/scores/parts/revealed_masks.ts";
import { witnessedPairs } from "../../../stages/scores/parts/view_pairs.ts";
import { findThirdSeen, THIRD_VIEWS } from "../../../stages/scores/third_seen.ts";
import { thirdTextures } from "../../../stages/scores/third_textures.ts";
import { asset } from "../../assets.ts";
import { CROP, posed, SIZE, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

/** Visibilities by column of the chart, 0..1. */
const SEEN = {
  left: (x: number) => x < SIZE / 2 ? 1 : 0,
  ahead: (x: number) => x < 0.55 * SIZE ? 1 : x < 0.6 * SIZE ? 0.4 : 0,
  right: (x: number) => x > SIZE / 2 ? 1 : 0,
  more: (x: number) => x < 0.7 * SIZE ? 1 : 0,
  nowhere: () => 0,
};
const YAWS = { left: -20, ahead: 3, right: 22, more: -4, nowhere: 0 };
type View = keyof typeof SEEN;
const VIEWS = Object.keys(SEEN) as View[];

const map = (view: View) => Float32Array.from({ length: SIZE * SIZE }, (_, i) => SEEN[view](i % SIZE));

const triplet = (...views: [View, View, View]) => ({
  identity: "7",
  expression: "1_neutral",
  views,
  yaws: views.map((view) => YAWS[view]) as [number, number, number],
});

/** Which pixels of a view show points that another saw, by a loop over the samples of its pixels. */
function seenBy(other: View, view: View): boolean[] {
  const { offsets, indices, weights, coverage } = pictureOperator(posed(YAWS[view]), {
    topology,
    size: SIZE,
    width: CROP,
    height: CROP,
  });
  const values = map(other);
  return Array.from(coverage, (covered, pixel) => {
    let sum = 0;
    for (let k = offsets[pixel]!; k < offsets[pixel + 1]!; k++) sum += weights[k]! * values[indices[k]!]!;
    return sum > 0.5 * covered;
  });
}

Deno.test("of revealed pixels those count that the third view saw, as a loop over the pixels finds", () =>
  withScratch(async ({ folder, write, run }) => {
    // right reveals to left what lies in some rows; of two third views the one that saw more counts
    const rows = Float32Array.from({ length: CROP * CROP }, (_, i) => i > 60 * CROP && i < 150 * CROP ? 1 : 0);
    const revealed = ["left.to.right", "ahead.to.right", "right.to.left"];
    for (const pair of revealed) {
      await write(`revealed/${pair}.mask.png`, await encodeGreyPng({ width: CROP, height: CROP, data: rows }));
    }
    for (const view of VIEWS) {
      const data = map(view);
      await write(`unwrapped/${view}.visibility.png`, await encodeGreyPng({ width: SIZE, height: SIZE, data }));
      await write(`meshes/${view}.safetensors`, encodeMesh({ vertices: posed(YAWS[view]) }));
      const grey = new Float32Array(3 * SIZE * SIZE).fill(VIEWS.indexOf(view) / 10);
      await write(`copies/${view}.texture.png`, await encodePng({ width: SIZE, height: SIZE, data: grey }));
    }
    const triplets = [
      triplet("left", "ahead", "right"),
      triplet("left", "more", "right"),
      triplet("ahead", "nowhere", "right"),
    ];
    await write("triplets/triplets.json", JSON.stringify({ triplets }));
    await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
    const of = <K extends string>(kind: K, name: string = kind) => cast(sourceFolder(`${folder}/${name}`), kind);
    const seen = findThirdSeen({
      triplets: of("triplets"),
      revealed: of("revealed"),
      unwrapped: of("unwrapped"),
      meshes: of("meshes"),
      topology: of("assets", "topology"),
    });
    await write("none/thirds.json", "{}");
    const copies = of("reconstructions", "copies");
    const { trees } = await run({
      seen,
      oracle: thirdTextures({ seen, copies }),
      none: thirdTextures({ seen: of("revealed", "none"), copies }),
    });
    const thirds = { "left.to.right": "more", "ahead.to.right": "left", "right.to.left": "more" } as const;
    assert.deepEqual(await trees.seen.json(THIRD_VIEWS), thirds);
    assert.deepEqual(
      trees.seen.paths.filter((path) => path !== THIRD_VIEWS),
      Object.keys(thirds).map((pair) => `${pair}.mask.png`).sort(),
    );
    for (const [pair, third] of Object.entries(thirds) as [keyof typeof thirds, View][]) {
      const expected = seenBy(third, pair.split(".to.")[1] as View);
      const { data } = await readImage(trees.seen, `${pair}.mask.png`);
      const different = expected.filter((value, i) => (value && rows[i] === 1 ? 1 : 0) !== data[3 * i]).length;
      assert.ok(different <= 2, `${pair}: ${different} pixels`);
      assert.ok(expected.filter((value, i) => value && rows[i] === 1).length >= LEAST_REVEALED);
      const texture = await readImage(trees.oracle, `${pair}.texture.png`);
      assert.equal(Math.round(10 * texture.data[0]!), VIEWS.indexOf(third));
    }
    const textures = Object.keys(thirds).map((pair) => `${pair}.texture.png`);
    assert.deepEqual(trees.oracle.paths, [...textures, THIRD_VIEWS].sort());
    assert.deepEqual(await trees.oracle.json(THIRD_VIEWS), thirds);
    assert.deepEqual(trees.none.paths, [THIRD_VIEWS], "no third view saw enough of any pair");
  }));

Deno.test("a pair's witnesses are the third views of all triplets that hold both", () => {
  const pairs = witnessedPairs([triplet("left", "ahead", "right"), triplet("left", "more", "right")]);
  const of = (from: View, to: View) => pairs.find((pair) => pair.from.key === from && pair.to.key === to)?.witnesses;
  assert.deepEqual(of("left", "right"), ["ahead", "more"]);
  assert.deepEqual(of("right", "ahead"), ["left"]);
  assert.equal(of("ahead", "more"), undefined);
});
