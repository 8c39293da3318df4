import assert from "node:assert/strict";
import { createImage } from "../../../../face/image.ts";
import { shapeOf } from "../../../../face/morphable.ts";
import type { Tree } from "@ftim/pipeline";
import type { AlignedFace } from "../../../../stages/data/align.ts";
import { encodePng } from "../../../../stages/faces/photograph.ts";
import {
  backgroundCells,
  backgroundsOf,
  readDecoys,
  readSources,
} from "../../../../stages/synthetic/parts/synthetic_sources.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { maxDifference } from "../../../face/head.ts";
import { faceFiles, makeFace, morphable, posed } from "../../face_lab.ts";

const tf = await openTfjs();

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

/**
 * What made the two meshes: standard deviations of identity. The model's second component is too weak to be found
 * again.
 */
const IDENTITIES = [Float32Array.of(0.7, 0), Float32Array.of(-1.1, 0)] as const;

/**
 * Two crops twice as large as their place in the photograph, which is of one colour; the second face is turned further.
 */
async function inputs(colour: readonly number[]) {
  const { picture } = makeFace();
  const [face, turned] = IDENTITIES.map((identity, i) => {
    const shape = shapeOf(morphable(), { identity, expression: new Float32Array() });
    return { picture, vertices: posed([10, 50][i], shape) };
  });
  const files = { ...await faceFiles("a/0", face!), ...await faceFiles("b/1", turned!) };
  for (const [key, identity] of [["a/0", "anna"], ["b/1", null]] as const) {
    const aligned: AlignedFace = JSON.parse(files[`aligned/${key}.json`] as string);
    const transform = { scale: 2, x: -20, y: 30, size: 224, photograph: { width: 300, height: 200 } };
    files[`aligned/${key}.json`] = JSON.stringify({ ...aligned, identity, transform });
  }
  const albedo = (red: number) => encodePng(plain(64, 64, [red, 0.4, 0.6]));
  return {
    face: face!,
    trees: {
      images: tree({
        "a.png": await encodePng(plain(300, 200, colour)),
        "b.png": await encodePng(plain(90, 80, colour)),
      }),
      crops: below(files, "aligned/"),
      meshes: below(files, "meshes/"),
      model: tree({ "sources/a/0.albedo.png": await albedo(0.2), "sources/b/1.albedo.png": await albedo(0.8) }),
    },
  };
}

Deno.test("readSources() gives meshes in their photographs' pixels, person, colour, shape and albedo", async () => {
  const colour = [51, 102, 204].map((value) => value / 255);
  const { face, trees } = await inputs(colour);
  const [source, other, ...rest] = await readSources(trees, morphable());
  assert.ok(source !== undefined && other !== undefined && rest.length === 0);
  assert.deepEqual([source.person, other.person], ["anna", "b/1"], "who is not named is a person alone");
  const expected = face.vertices.map((value, i) => [(value + 20) / 2, (value - 30) / 2, value / 2][i % 3]!);
  assert.ok(maxDifference(source.vertices, expected) < 1e-4);
  assert.ok(maxDifference(source.colour, colour) < 1e-5);
  assert.deepEqual([source.photograph.width, other.photograph.width], [300, 90]);
  for (const [i, { identity, albedo }] of [source, other].entries()) {
    assert.ok(maxDifference(identity, IDENTITIES[i]!) < 0.02, `${identity} for ${IDENTITIES[i]}`);
    assert.ok(maxDifference(albedo.subarray(0, 3), [[0.2, 0.8][i]!, 0.4, 0.6]) < 1e-6);
  }
});

Deno.test("readSources() leaves out faces that are turned further than it may be", async () => {
  const { trees } = await inputs([0.5, 0.5, 0.5]);
  const persons = async (maxYaw: number) =>
    (await readSources(trees, morphable(), { maxYaw })).map(({ person }) => person);
  assert.deepEqual(await persons(55), ["anna", "b/1"]);
  assert.deepEqual(await persons(45), ["anna"]);
  await assert.rejects(persons(5), /no photograph with a mesh/);
});

Deno.test("readSources() says that there are no photographs", async () => {
  const { trees } = await inputs([0.5, 0.5, 0.5]);
  await assert.rejects(readSources({ ...trees, meshes: tree({}) }, morphable()), /no photograph with a mesh/);
});

Deno.test("backgroundsOf() keeps a photograph's colours and none of its detail", async () => {
  const { trees } = await inputs([0.2, 0.4, 0.8]);
  const [source] = await readSources(trees, morphable());
  const photograph = plain(300, 200, [0, 0, 0]);
  for (let i = 0; i < 300 * 200; i++) photograph.data.fill(i % 2, 3 * i, 3 * i + 3);
  const detailed = { ...source!, photograph };
  const cells = await backgroundCells(tf, [source!, detailed]);
  const soft = backgroundsOf(tf, [cells.get(detailed)!, cells.get(source!)!], 32);
  assert.deepEqual(soft.shape, [2, 32, 32, 3]);
  const values = await soft.data();
  soft.dispose();
  const [grey, even] = [values.slice(0, values.length / 2), values.slice(values.length / 2)];
  assert.ok(grey.every((value) => Math.abs(value - 0.5) < 0.05), "a pixel pattern becomes grey");
  assert.ok(even.every((value, i) => Math.abs(value - [0.2, 0.4, 0.8][i % 3]!) < 1e-4));
});

Deno.test("readDecoys() cuts the largest square out of the middle", async () => {
  const wide = plain(60, 20, [1, 0, 0]);
  for (let i = 0; i < 60 * 20; i++) if (i % 60 >= 20 && i % 60 < 40) wide.data.set([0, 1, 0], 3 * i);
  const [square] = await readDecoys(tf, tree({ "decoy/a.png": await encodePng(wide) }), 16);
  assert.deepEqual([square!.width, square!.height], [16, 16]);
  for (let i = 0; i < 256; i++) {
    if (i % 16 > 0 && i % 16 < 15) assert.ok(maxDifference(square!.data.subarray(3 * i, 3 * i + 3), [0, 255, 0]) < 3);
  }
});
