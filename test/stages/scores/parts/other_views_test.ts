import assert from "node:assert/strict";
import type { Tree } from "@ftim/pipeline";
import { applyOperatorCpu, pictureOperator } from "../../../../face/render_cpu.ts";
import { encodeMesh } from "../../../../stages/faces/geometry.ts";
import { encodeGreyPng, encodePng } from "../../../../stages/faces/photograph.ts";
import { otherViews } from "../../../../stages/scores/parts/other_views.ts";
import { asset } from "../../../assets.ts";
import { noise } from "../../../nets/inputs.ts";
import { posed, SIZE, smoothAlbedo, topology } from "../../face_lab.ts";

/** A tree of files in memory. */
function treeOf(files: Record<string, Uint8Array | string>): Tree {
  const bytes = (path: string) => {
    const file = files[path]!;
    return Promise.resolve(typeof file === "string" ? new TextEncoder().encode(file) : file);
  };
  const text = async (path: string) => new TextDecoder().decode(await bytes(path));
  const json = async (path: string) => JSON.parse(await text(path));
  return { paths: Object.keys(files), has: (path: string) => path in files, bytes, text, json } as Partial<
    Tree
  > as Tree;
}

Deno.test("textures are rendered in each other view, over the photograph; what has no view is skipped", async () => {
  // a triplet, one of another size with one view whose mask is empty and one whose mesh is none
  const views = ["a", "b", "c", "d", "e", "f"].map((key, i) => ({ key, yaw: 12 * i - 30 }));
  const [width, height] = [120, 110];
  const small = (key: string) => "def".includes(key);
  const pictures = new Map(views.map(({ key }, seed) => {
    const size = small(key) ? { width, height } : { width: 224, height: 224 };
    const vertices = posed(views[seed]!.yaw).map((value) => small(key) ? 0.5 * value : value);
    return [key, { photograph: noise({ ...size, seed }), texture: smoothAlbedo(seed), vertices }];
  }));
  const each = async <T>(name: string, make: (key: string) => T | Promise<T>) =>
    Object.fromEntries(
      await Promise.all(views.map(async ({ key }) => [name.replace("*", key), await make(key)] as const)),
    );
  const of = (key: string) => pictures.get(key)!;
  const triplets = [["a", "b", "c"], ["d", "e", "f"]].map((keys) => ({
    identity: keys.join(""),
    expression: "1",
    views: keys,
    yaws: keys.map((key) => views.find((view) => view.key === key)!.yaw),
  }));
  const texture = (key: string) => encodePng({ width: SIZE, height: SIZE, data: of(key).texture });
  const { "b.texture.png": _, ...textures } = await each("*.texture.png", texture);
  // of one pair alone
  const own = smoothAlbedo(views.length);
  textures["c.to.a.texture.png"] = await encodePng({ width: SIZE, height: SIZE, data: own });
  const mask = (key: string) => {
    const { width, height } = of(key).photograph;
    return encodeGreyPng({ width, height, data: new Float32Array(width * height).fill(key === "e" ? 0 : 1) });
  };
  const mesh = (key: string) => {
    const { vertices } = of(key);
    return encodeMesh({ vertices: key === "f" ? vertices.with(5, NaN) : vertices });
  };
  const skipped: string[] = [];
  const found = otherViews({
    triplets: treeOf({ "triplets.json": JSON.stringify({ triplets }) }),
    crops: treeOf(await each("*.png", (key) => encodePng(of(key).photograph))),
    unwrapped: treeOf(await each("*.mask.png", mask)),
    meshes: treeOf(await each("*.safetensors", mesh)),
    reconstructions: treeOf(textures),
    topology: treeOf({ "facemeshcoords.ts": new TextDecoder().decode(await asset("models/facemeshcoords.ts")) }),
  }, {
    skip: (key, reason) => skipped.push(`${key}: ${reason}`),
    progress: () => {},
    signal: new AbortController().signal,
  });
  const seen: string[] = [];
  for await (const batch of found) {
    for (const { key, photograph, vertices, pairs, pictures } of batch) {
      for (const [i, { from }] of pairs.entries()) {
        seen.push(`${from.key}.to.${key}`);
        const { width, height } = photograph;
        const operator = pictureOperator(vertices, { topology, size: SIZE, width, height });
        const texture = from.key === "c" && key === "a" ? own : of(from.key).texture;
        const render = applyOperatorCpu(operator, texture);
        const worst = pictures[i]!.data.reduce((most, value, k) => {
          const wanted = render[k]! + (1 - operator.coverage[Math.floor(k / 3)]!) * of(key).photograph.data[k]!;
          return Math.max(most, Math.abs(value - wanted));
        }, 0);
        assert.ok(worst < 1.1 / 255, `${from.key} in ${key}: ${255 * worst} levels`);
      }
    }
  }
  assert.deepEqual(seen, ["a.to.b", "c.to.b", "a.to.c", "c.to.a", "e.to.d", "f.to.d"].sort(byView));
  assert.deepEqual(skipped.sort(), [
    "b.to.a: b has no texture",
    "b.to.c: b has no texture",
    "d.to.e: the mask holds no pixel of the face",
    "d.to.f: a vertex of its mesh is no finite number",
    "e.to.f: a vertex of its mesh is no finite number",
    "f.to.e: the mask holds no pixel of the face",
  ]);
});

Deno.test("pictures of what draws faces itself are taken as they are, and a pair without one is skipped", async () => {
  const views = ["a", "b", "c"];
  const size = { width: 40, height: 30 };
  const files = async (name: string, make: (view: string) => Uint8Array | Promise<Uint8Array>) =>
    treeOf(Object.fromEntries(await Promise.all(views.map(async (key) => [name.replace("*", key), await make(key)]))));
  const pictures = await Promise.all(["a.to.b", "b.to.a", "c.to.b"].map(async (pair, seed) => {
    return [`${pair}.render.png`, await encodePng(noise({ ...size, seed }))] as const;
  }));
  const skipped: string[] = [];
  const found = otherViews({
    triplets: treeOf({
      "triplets.json": JSON.stringify({ triplets: [{ identity: "1", expression: "1", views, yaws: [-20, 0, 20] }] }),
    }),
    crops: await files("*.png", () => encodePng(noise({ ...size, seed: 9 }))),
    unwrapped: await files("*.mask.png", () => encodeGreyPng({ ...size, data: new Float32Array(1200).fill(1) })),
    meshes: await files("*.safetensors", () => encodeMesh({ vertices: posed(0) })),
    reconstructions: treeOf(Object.fromEntries(pictures)),
    topology: treeOf({ "facemeshcoords.ts": new TextDecoder().decode(await asset("models/facemeshcoords.ts")) }),
  }, {
    skip: (key, reason) => skipped.push(`${key}: ${reason}`),
    progress: () => {},
    signal: new AbortController().signal,
  });
  const seen = new Map<string, Float32Array>();
  for await (const batch of found) {
    for (const { key, pairs, pictures } of batch) {
      for (const [i, { from }] of pairs.entries()) seen.set(`${from.key}.to.${key}`, pictures[i]!.data);
    }
  }
  assert.deepEqual([...seen.keys()].sort(), ["a.to.b", "b.to.a", "c.to.b"]);
  for (const [seed, pair] of ["a.to.b", "b.to.a", "c.to.b"].entries()) {
    const drawn = noise({ ...size, seed }).data;
    assert.ok(seen.get(pair)!.every((value, i) => Math.abs(value - drawn[i]!) < 0.6 / 255), pair);
  }
  assert.deepEqual(skipped.sort(), [
    "a.to.c: a is not drawn there",
    "b.to.c: b is not drawn there",
    "c.to.a: c is not drawn there",
  ]);
});

/** In the order in which pairs name the second view first. */
function byView(a: string, b: string): number {
  const order = ["b", "c", "a", "e", "f", "d"];
  return order.indexOf(a.at(-1)!) - order.indexOf(b.at(-1)!) || (a < b ? -1 : 1);
}
