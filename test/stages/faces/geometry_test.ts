import assert from "node:assert/strict";
import type { Tree } from "@ftim/pipeline";
import { uvMap } from "../../../face/uv_map.ts";
import { readSymmetricTopology, readTopology } from "../../../stages/faces/geometry.ts";
import { asset } from "../../assets.ts";

Deno.test("each reader has a topology of its own; all share one UV map while the source is the same", async () => {
  const source = new TextDecoder().decode(await asset("models/facemeshcoords.ts"));
  const tree = (text: string) =>
    ({ paths: ["models/facemeshcoords.ts"], text: () => Promise.resolve(text) }) as unknown as Tree;
  const [one, two] = [await readTopology(tree(source)), await readSymmetricTopology(tree(source))];
  assert.notEqual(one, two);
  assert.equal(uvMap(one, 32), uvMap(two, 32));
  // where a vertex lies elsewhere it is another chart
  const moved = await readTopology(tree(source.replace(/0\.499976992607117/, "0.4999")));
  assert.notEqual(uvMap(moved, 32), uvMap(one, 32));
  assert.deepEqual(await readTopology(tree(source)), one);
});
