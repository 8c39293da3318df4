import assert from "node:assert/strict";
import { createImage } from "../../../../face/image.ts";
import { fitShape } from "../../../../face/morphable.ts";
import type { Tree } from "@ftim/pipeline";
import { encodePng } from "../../../../stages/faces/photograph.ts";
import { backgroundsOf, readDecoys, readSources } from "../../../../stages/synthetic/parts/synthetic_sources.ts";
import { maxDifference } from "../../../face/head.ts";
import { faceFiles, makeFace, morphable } from "../../face_lab.ts";

function tree(files: Record<string, Uint8Array | string>): Tree {
  const bytes = (path: string) => {
    const content = files[path] ?? assert.fail(`there is no ${path}`);
    return Promise.resolve(typeof content === "string" ? new TextEncoder().encode(content) : content);
  };
  const text = async (path: string) => new TextDecoder().decode(await bytes(path));
  return {
    paths: Object.keys(files).sort(),
    bytes,
    text,
    json: async (path: string) => JSON.parse(await text(path)),
  } as unknown as Tree;
}

/** The files below a folder. */
function below(files: Record<string, Uint8Array | string>, folder: string): Tree {
  const own = Object.entries(files).filter(([path]) => path.startsWith(folder));
  return tree(Object.fromEntries(own.map(([path, content]) => [path.slice(folder.length), content])));
}

function plain(width: number, height: number, colour: readonly number[]) {
  const image = createImage({ width, height });
  for (let i = 0; i < 3 * width * height; i++) image.data[i] = colour[i % 3]!;
  return image;
}

/** A crop twice as large as its place in the photograph, which is of one colour. */
async function inputs(colour: readonly number[]) {
  const face = makeFace({ yaw: 10 });
  const files = await faceFiles("a/0", face);
  const aligned = JSON.parse(files["aligned/a/0.json"] as string);
  aligned.transform = { scale: 2, x: -20, y: 30, size: 224, photograph: { width: 300, height: 200 } };
  const changed = { ...files, "aligned/a/0.json": JSON.stringify({ ...aligned, identity: "anna" }) };
  const albedo = await encodePng(plain(64, 64, [0.2, 0.4, 0.6]));
  return {
    face,
    trees: {
      images: tree({ "a.png": await encodePng(plain(300, 200, colour)) }),
      crops: below(changed, "aligned/"),
      meshes: below(files, "meshes/"),
      model: tree({ "sources/a/0.albedo.png": albedo }),
    },
  };
}

Deno.test("readSources() gives meshes in their photographs' pixels, person, colour, shape and albedo", async () => {
  const colour = [51, 102, 204].map((value) => value / 255);
  const { face, trees } = await inputs(colour);
  const [source, ...rest] = await readSources(trees, morphable());
  assert.ok(source !== undefined && rest.length === 0);
  assert.equal(source.person, "anna");
  const expected = face.vertices.map((value, i) => [(value + 20) / 2, (value - 30) / 2, value / 2][i % 3]!);
  assert.ok(maxDifference(source.vertices, expected) < 1e-4);
  assert.ok(maxDifference(source.colour, colour) < 1e-5);
  assert.deepEqual(source.identity, fitShape(morphable(), face.vertices).identity);
  assert.ok(maxDifference(source.albedo.subarray(0, 3), [0.2, 0.4, 0.6]) < 1e-6);
});

Deno.test("readSources() says that there are no photographs", async () => {
  const { trees } = await inputs([0.5, 0.5, 0.5]);
  await assert.rejects(readSources({ ...trees, meshes: tree({}) }, morphable()), /no photograph with a mesh/);
});

Deno.test("backgroundsOf() keeps a photograph's colours and none of its detail", async () => {
  const { trees } = await inputs([0.2, 0.4, 0.8]);
  const [source] = await readSources(trees, morphable());
  const even = backgroundsOf([source!], 32).get(source!)!;
  assert.deepEqual([even.width, even.height], [32, 32]);
  assert.ok(even.data.every((value, i) => Math.abs(value - [0.2, 0.4, 0.8][i % 3]!) < 1e-4));
  const photograph = plain(300, 200, [0, 0, 0]);
  for (let i = 0; i < 300 * 200; i++) photograph.data.fill(i % 2, 3 * i, 3 * i + 3);
  const detailed = { ...source!, photograph };
  const soft = backgroundsOf([detailed], 32).get(detailed)!;
  assert.ok(soft.data.every((value) => Math.abs(value - 0.5) < 0.05), "a pixel pattern becomes grey");
});

Deno.test("readDecoys() cuts the largest square out of the middle", async () => {
  const wide = plain(60, 20, [1, 0, 0]);
  for (let i = 0; i < 60 * 20; i++) if (i % 60 >= 20 && i % 60 < 40) wide.data.set([0, 1, 0], 3 * i);
  const [square] = await readDecoys(tree({ "decoy/a.png": await encodePng(wide) }), 16);
  assert.deepEqual([square!.width, square!.height], [16, 16]);
  for (let i = 0; i < 256; i++) if (i % 16 > 0 && i % 16 < 15) assert.ok(square!.data[3 * i + 1]! > 0.99);
});
