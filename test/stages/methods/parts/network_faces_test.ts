/** A comparator's mesh in the frame that all methods are scored in. */
import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import type { Tree } from "@ftim/pipeline";
import { FaceCropError, toCrop } from "../../../../face/crop.ts";
import type { Comparator } from "../../../../nets/comparators/comparator.ts";
import { decodePixels, encodePng } from "../../../../stages/faces/photograph.ts";
import { networkFaces, type NetworkItems } from "../../../../stages/methods/parts/network_faces.ts";

const tf = await openTfjs();
const PHOTOGRAPH = { width: 300, height: 260 };
/** Side of the aligned crop, and its place in the photograph. */
const SIZE = 96;
const TRANSFORM = { scale: 0.8, x: -40, y: -24, size: SIZE, photograph: PHOTOGRAPH };
/** What the comparator's crop of 64² shows; its pixels are not square. */
const PART = { left: 60, top: 40, width: 96, height: 80 };
const SIDE = 64;
/** A rectangle in the comparator's crop. */
const RECTANGLE = { left: 16, top: 24, right: 48, bottom: 40 };

/**
 * A comparator that sees a red rectangle in each crop, but for what `places` says of it.
 *
 * @param blindness what it throws at a face without points
 */
function rectangles(places: (face: number) => number, blindness = new FaceCropError("it has no points")): Comparator {
  const { left, top, right, bottom } = RECTANGLE;
  return {
    topology: { triangles: Uint32Array.of(0, 1, 2, 2, 1, 3) },
    size: SIDE,
    crop(tf: Tfjs, faces) {
      if (faces.some(({ face }) => face.points.length === 0)) throw blindness;
      return { crops: tf.zeros([faces.length, SIDE, SIDE, 3]), parts: faces.map(() => PART) };
    },
    reconstruct({ shape: [batch] }: Tensor4D) {
      const corners = Array.from({ length: batch }, (_, i) => {
        return [left, top, 5, left, bottom, 5, right, top, 5, right, bottom, 5].map((value) => value + places(i));
      });
      const red = Array.from({ length: 4 * batch }, () => [1, 0, 0]);
      return {
        vertices: tf.tensor3d(corners.flat(), [batch, 4, 3]),
        colours: tf.tensor3d(red.flat(), [batch, 4, 3]),
      };
    },
    dispose() {},
  };
}

/** Runs it on two faces; the second has no points where it is `blind`. */
async function run(comparator: Comparator, { blind = false } = {}) {
  const grey = async ({ width, height }: { width: number; height: number }) =>
    await encodePng({ width, height, data: new Uint8Array(3 * width * height).fill(51) });
  const files: Record<string, Uint8Array> = {
    "a.png": await grey(PHOTOGRAPH),
    "a/0.png": await grey({ width: SIZE, height: SIZE }),
    "a/1.png": await grey({ width: SIZE, height: SIZE }),
  };
  const written = new Map<string, Uint8Array>();
  const skipped = new Map<string, string>();
  const tree = (json: (path: string) => unknown) =>
    ({
      json: (path: string) => Promise.resolve(json(path)),
      bytes: (path: string) => Promise.resolve(files[path]!),
    }) as unknown as Tree;
  const items = ["a/0", "a/1"].map((key) => ({
    key,
    inputs: {
      crops: tree(() => ({ photograph: "a", transform: TRANSFORM })),
      sought: tree((path) => ({
        box: PART,
        points: blind && path === "a/1.json" ? [] : [{ x: 0, y: 0 }],
        by: "the test",
      })),
    },
    out: { write: (path: string, bytes: Uint8Array) => void written.set(path, bytes) },
    skip: (reason: string) => void skipped.set(key, reason),
  })) as unknown as NetworkItems["items"];
  const before = tf.memory().numTensors;
  await networkFaces(tf, comparator, { items, images: tree(() => ({})), stage: "the test" });
  assert.equal(tf.memory().numTensors, before, "nothing is leaked");
  const pictures = await Promise.all(
    [...written].map(async ([path, bytes]) => [path, (await decodePixels(bytes, { path })).image] as const),
  );
  return { pictures: new Map(pictures), skipped };
}

Deno.test("a mesh is drawn over the aligned crop where the photograph has it", async () => {
  const { pictures, skipped } = await run(rectangles(() => 0));
  assert.deepEqual([[...pictures.keys()], skipped.size], [["a/0.render.png", "a/1.render.png"], 0]);
  const inAligned = (x: number, y: number) =>
    toCrop(TRANSFORM, { x: PART.left + x * PART.width / SIDE, y: PART.top + y * PART.height / SIDE });
  const first = inAligned(RECTANGLE.left, RECTANGLE.top);
  const last = inAligned(RECTANGLE.right, RECTANGLE.bottom);
  for (const { data, width, height } of pictures.values()) {
    assert.deepEqual([width, height], [SIZE, SIZE]);
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        const inside = (at: number, low: number, high: number) => Math.min(at + 1, high) - Math.max(at, low);
        const covered = [inside(x, first.x, last.x), inside(y, first.y, last.y)].map((part) => Math.max(0, part));
        if (covered.some((part) => part > 0 && part < 1)) continue;
        const expected = covered.every((part) => part === 1) ? [255, 0, 0] : [51, 51, 51];
        const at = 3 * (y * SIZE + x);
        assert.deepEqual([...data.subarray(at, at + 3)], expected, `pixel ${x}, ${y}`);
      }
    }
  }
});

Deno.test("a face is skipped for what it is alone: any other error of cutting out ends the stage", async () => {
  const fault = new RangeError("a crop of another size");
  await assert.rejects(run(rectangles(() => 0, fault), { blind: true }), fault);
});

Deno.test("a face that cannot be cut out, or whose mesh is nowhere, is skipped by name, and no other", async () => {
  const blind = await run(rectangles(() => 0), { blind: true });
  assert.deepEqual([...blind.pictures.keys()], ["a/0.render.png"]);
  assert.deepEqual([...blind.skipped], [["a/1", "a/1: it has no points"]]);
  for (const far of [NaN, 1e7]) {
    const lost = await run(rectangles((face) => face === 0 ? far : 0));
    assert.deepEqual([...lost.pictures.keys()], ["a/1.render.png"]);
    assert.match(lost.skipped.get("a/0")!, /^a\/0: the network places its mesh nowhere near the photograph/);
  }
  const none = await run(rectangles(() => Infinity));
  assert.equal(none.pictures.size, 0);
  assert.equal(none.skipped.size, 2);
});
