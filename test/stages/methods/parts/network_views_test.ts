/** A comparator's network in other views: whose mesh is drawn where, and in whose colours. */
import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Tree } from "@ftim/pipeline";
import { FaceCropError } from "../../../../face/crop.ts";
import type { Comparator } from "../../../../nets/comparators/comparator.ts";
import { decodePixels, encodePng } from "../../../../stages/faces/photograph.ts";
import { networkViews } from "../../../../stages/methods/parts/network_views.ts";

const tf = await openTfjs();
/** Side of photographs and crops, which are the same here. */
const SIDE = 32;
/** Grey of each view's photograph, which the comparator knows it by. */
const GREYS: Readonly<Record<string, number>> = { a: 51, b: 102, c: 153, d: 204 };

/** Where a view's mesh is: a square of side 4, whose place and colour (red) come of the photograph's grey. */
const left = (grey: number) => 4 * grey / 51;
const red = (grey: number) => grey / 255;

const squares: Comparator = {
  topology: { triangles: Uint32Array.of(0, 1, 2, 2, 1, 3) },
  size: SIDE,
  crop(tf, faces) {
    if (faces.some(({ face }) => face.points.length === 0)) throw new FaceCropError("it has no points");
    const grey = ({ image }: (typeof faces)[number]) => tf.fill([1, SIDE, SIDE, 3], image.data[0]! / 255) as Tensor4D;
    return {
      crops: tf.tidy(() => tf.concat(faces.map(grey))),
      parts: faces.map(() => ({ left: 0, top: 0, width: SIDE, height: SIDE })),
    };
  },
  async reconstruct(crops) {
    const values = await crops.data();
    const greys = Array.from({ length: crops.shape[0] }, (_, i) => Math.round(255 * values[3 * SIDE * SIDE * i]!));
    const corners = greys.flatMap((grey) => {
      const [x, end] = [left(grey), left(grey) + 4];
      return [x, 8, 0, x, 12, 0, end, 8, 0, end, 12, 0];
    });
    return {
      vertices: tf.tensor3d(corners, [greys.length, 4, 3]),
      colours: tf.tensor3d(greys.flatMap((grey) => Array(4).fill([red(grey), 0, 0]).flat()), [greys.length, 4, 3]),
    };
  },
  dispose() {},
};

/** A tree with these files; `json` gives what is no picture. */
function treeOf(paths: readonly string[], json: (path: string) => unknown): Tree {
  const bytes = async (path: string) => {
    const grey = GREYS[path[0]!]!;
    return await encodePng({ width: SIDE, height: SIDE, data: new Uint8Array(3 * SIDE * SIDE).fill(grey) });
  };
  return {
    paths,
    has: (path: string) => paths.includes(path),
    bytes,
    json: (path: string) => json(path),
  } as unknown as Tree;
}

Deno.test("in another view a network's own mesh of that view is drawn in the colours of the first", async () => {
  // d is in the second triplet alone and cannot be cut out; e is no face
  const triplets = [["a", "b", "c"], ["a", "b", "d"], ["b", "e", "c"]].map((views) => ({
    identity: "1",
    expression: "1",
    views,
    yaws: [-20, 0, 20],
  }));
  const transform = { scale: 1, x: 0, y: 0, size: SIDE, photograph: { width: SIDE, height: SIDE } };
  const faces = ["a", "b", "c", "d"];
  const json = faces.map((key) => `${key}.json`);
  const written = new Map<string, Uint8Array>();
  const skipped: string[] = [];
  let steps: number[] = [];
  const before = tf.memory().numTensors;
  await networkViews(tf, squares, {
    inputs: {
      triplets: treeOf(["triplets.json"], () => ({ triplets })),
      crops: treeOf(json, (path) => ({ photograph: path[0], transform })),
      sought: treeOf(json, (path) => ({ box: {}, points: path === "d.json" ? [] : [{ x: 0, y: 0 }], by: "the test" })),
      images: treeOf([], () => ({})),
    },
    out: {
      write(path: string, bytes: Uint8Array) {
        assert.ok(!written.has(path), `${path} is written twice`);
        written.set(path, bytes);
      },
    } as never,
    skip: (key, reason) => skipped.push(`${key} ${reason}`),
    progress: (done, total) => steps = [done, total],
    signal: new AbortController().signal,
    stage: "the test",
  });
  assert.equal(tf.memory().numTensors, before, "nothing is leaked");
  assert.deepEqual([steps, skipped], [[3, 3], ["d d: it has no points"]]);
  const pairs = ["a.to.b", "a.to.c", "b.to.a", "b.to.c", "c.to.a", "c.to.b"];
  assert.deepEqual([...written.keys()].sort(), pairs.map((pair) => `${pair}.render.png`));
  for (const pair of pairs) {
    const path = `${pair}.render.png`;
    const { image } = await decodePixels(written.get(path)!, { path });
    const [from, to] = [GREYS[pair[0]!]!, GREYS[pair.at(-1)!]!];
    const at = (x: number, y: number) => [...image.data.subarray(3 * (y * SIDE + x), 3 * (y * SIDE + x) + 3)];
    for (let x = 0; x < SIDE; x++) {
      const inside = x >= left(to) && x < left(to) + 4;
      assert.deepEqual(at(x, 9), inside ? [from, 0, 0] : [to, to, to], `${pair}, pixel ${x}`);
    }
    assert.deepEqual(at(left(to) + 1, 20), [to, to, to]);
  }
});
