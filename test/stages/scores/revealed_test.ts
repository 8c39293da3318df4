import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { pictureOperator } from "../../../face/render_cpu.ts";
import { encodeGreyPng, readImage } from "../../../stages/faces/photograph.ts";
import { encodeMesh } from "../../../stages/faces/geometry.ts";
import { LEAST_REVEALED, pictureWithin, revealedPixels } from "../../../stages/scores/parts/revealed_masks.ts";
import { findRevealed } from "../../../stages/scores/revealed.ts";
import { asset } from "../../assets.ts";
import { CROP, posed, SIZE, topology } from "../face_lab.ts";
import { withScratch } from "../scratch.ts";

/** Visibilities by column and row of the chart, each 0 or 1. */
const SEEN = {
  left: (x: number) => x < SIZE / 2,
  all: () => true,
  // All but a spot that holds fewer pixels than a pair has to reveal.
  most: (x: number, y: number) => Math.abs(x - SIZE / 2) > 1.5 || Math.abs(y - SIZE / 2) > 1.5,
  broken: () => false,
};
const YAWS = { left: -20, all: 5, most: 12, broken: 30 };
type View = keyof typeof SEEN;
const VIEWS: readonly View[] = ["left", "all", "most", "broken"];

const map = (view: View) =>
  Float32Array.from(
    { length: SIZE * SIZE },
    (_, i) => SEEN[view](i % SIZE, Math.floor(i / SIZE)) ? 1 : 0,
  );

/** A map of one channel in a view, by a loop over the samples of its pixels. */
function rendered(view: View, values: Float32Array): { data: Float32Array; coverage: Float32Array } {
  const { offsets, indices, weights, coverage } = pictureOperator(posed(YAWS[view]), {
    topology,
    size: SIZE,
    width: CROP,
    height: CROP,
  });
  const data = coverage.map((_, pixel) => {
    let sum = 0;
    for (let k = offsets[pixel]!; k < offsets[pixel + 1]!; k++) sum += weights[k]! * values[indices[k]!]!;
    return sum;
  });
  return { data, coverage };
}

Deno.test("what a pair of views reveals is what a loop over the pixels finds; too little is no mask", async () => {
  await withScratch(async ({ folder, write, run }) => {
    const mask = Float32Array.from({ length: CROP * CROP }, (_, i) => i % CROP < 130 ? 1 : 0);
    for (const view of VIEWS) {
      const size = { width: SIZE, height: SIZE };
      await write(`unwrapped/${view}.visibility.png`, await encodeGreyPng({ ...size, data: map(view) }));
      await write(`unwrapped/${view}.mask.png`, await encodeGreyPng({ width: CROP, height: CROP, data: mask }));
      const vertices = posed(YAWS[view]);
      if (view === "broken") vertices[4] = NaN;
      await write(`meshes/${view}.safetensors`, encodeMesh({ vertices }));
    }
    const triplet = (...views: View[]) => ({
      identity: "7",
      expression: "1_neutral",
      views,
      yaws: views.map((view) => YAWS[view]),
    });
    const triplets = [triplet("left", "all", "most"), triplet("left", "all", "broken")];
    await write("triplets/triplets.json", JSON.stringify({ triplets }));
    await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
    const of = <K extends string>(kind: K, name: string = kind) => cast(sourceFolder(`${folder}/${name}`), kind);
    // The portrait showed a stripe.
    const stripe = Float32Array.from({ length: SIZE * SIZE }, (_, i) => i / SIZE > 10 && i / SIZE < 40 ? 1 : 0);
    await write(
      "known/7/1_neutral.visibility.png",
      await encodeGreyPng({ width: SIZE, height: SIZE, data: stripe }),
    );
    const nothing = new Float32Array(SIZE * SIZE);
    await write(
      "dark/7/1_neutral.visibility.png",
      await encodeGreyPng({ width: SIZE, height: SIZE, data: nothing }),
    );
    const inputs = {
      triplets: of("triplets"),
      unwrapped: of("unwrapped"),
      meshes: of("meshes"),
      topology: of("assets", "topology"),
    };
    const { trees } = await run({
      revealed: findRevealed(inputs),
      known: findRevealed({ ...inputs, known: of("known") }),
      dark: findRevealed({ ...inputs, known: of("known", "dark") }),
    });
    const expected = (["left", "all", "most"] as const).flatMap((to) =>
      VIEWS.filter((from) => from !== to && !(from === "broken" && to === "most")).flatMap((from) => {
        const [before, now] = [rendered(to, map(from)), rendered(to, map(to))];
        const loop = mask.map((value, i) =>
          value === 1 && before.data[i]! < 0.2 * before.coverage[i]! && now.data[i]! > 0.5 * now.coverage[i]! ? 1 : 0
        );
        const count = loop.reduce((sum, value) => sum + value, 0);
        return [{ name: `${from}.to.${to}`, loop, count }];
      })
    );
    const kept = expected.filter(({ count }) => count >= LEAST_REVEALED);
    assert.deepEqual(trees.revealed.paths, [...kept.map(({ name }) => `${name}.mask.png`), "pairs.json"].sort());
    // Two pairs more lead to the view whose mesh is no mesh.
    const counts = { pairs: expected.length + 2, revealing: kept.length };
    assert.deepEqual(await trees.revealed.json("pairs.json"), counts);
    assert.deepEqual(trees.dark.paths, ["pairs.json"], "no pair of views reveals what is known");
    assert.deepEqual(await trees.dark.json("pairs.json"), { ...counts, revealing: 0 });
    assert.ok(kept.some(({ name }) => name === "left.to.all") && !kept.some(({ name }) => name === "all.to.left"));
    const few = expected.find(({ name }) => name === "most.to.all")!;
    assert.ok(few.count > 0 && few.count < LEAST_REVEALED, `${few.count}`);
    for (const { name, loop } of kept) {
      const { data } = await readImage(trees.revealed, `${name}.mask.png`);
      const different = loop.filter((value, i) => value !== data[3 * i]).length;
      assert.ok(different <= 2, `${name}: ${different} pixels`);
    }
    const { loop } = kept.find(({ name }) => name === "left.to.all")!;
    const shown = rendered("all", stripe);
    const { data } = await readImage(trees.known, "left.to.all.mask.png");
    const both = loop.map((value, i) => shown.data[i]! > 0.5 * shown.coverage[i]! ? value : 0);
    assert.ok(both.filter((value, i) => value !== data[3 * i]).length <= 2);
    assert.ok(both.some((value, i) => value < loop[i]!) && both.some((value) => value > 0));
  });
});

Deno.test("revealedPixels() judges a pixel at the mesh's edge by what the mesh covers of it", () => {
  const view = {
    mask: Float32Array.of(1, 1, 1, 1, 0.4, 1, 1),
    coverage: Float32Array.of(1, 1, 1, 0.5, 1, 0, 1),
    before: Float32Array.of(0.19, 0.21, 0, 0.09, 0, 0, 0),
    now: Float32Array.of(0.51, 1, 0.49, 0.26, 1, 0, 1),
  };
  assert.deepEqual([...revealedPixels(view)], [1, 0, 0, 1, 0, 0, 1]);
  const known = Float32Array.of(1, 1, 1, 0.26, 1, 1, 0.4);
  assert.deepEqual([...revealedPixels({ ...view, known })], [1, 0, 0, 1, 0, 0, 0]);
});

Deno.test("pictureWithin() keeps a picture in the mask, and another elsewhere", () => {
  const picture = { width: 2, height: 1, data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6) };
  const other = { width: 2, height: 1, data: new Float32Array(6) };
  const { data, width } = pictureWithin(Float32Array.of(0, 1), { picture, other });
  assert.deepEqual([width, ...data], [2, 0, 0, 0, ...picture.data.subarray(3)]);
});
