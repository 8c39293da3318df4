/** GLB files as three.js reads them, which shares no code with what writes them. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { encodeGlb } from "../../face/glb.ts";
import { encodePng } from "../../stages/faces/photograph.ts";
import { gridHead, maxDifference } from "./head.ts";

const LOADER = "npm:three@0.180.0/examples/jsm/loaders/GLTFLoader.js";

/** What `three/read.ts` prints. */
interface Seen {
  readonly others: number;
  readonly material: string;
  readonly userData: { readonly [key: string]: unknown };
  readonly map: { readonly colorSpace: string; readonly flipY: boolean; readonly width: number };
  readonly position: readonly number[];
  readonly normal: readonly number[];
  readonly uv: readonly number[];
  readonly index: readonly number[];
}

async function readWithThree(glb: Uint8Array<ArrayBuffer>): Promise<Seen> {
  const [lock, program] = ["three/deno.lock", "three/read.ts"].map((path) => {
    return fileURLToPath(new URL(path, import.meta.url));
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-check", `--lock=${lock}`, "--frozen", program!, LOADER],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(glb);
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("three.js shows a lit texture without light and an albedo with it, on the same mesh", async () => {
  const { topology, model } = gridHead(7);
  const texture = await encodePng({ width: 16, height: 16, data: new Float32Array(3 * 256).fill(0.5) });
  const options = { topology, texture, metres: 0.1 };
  const files = [{ ...options, unlit: true }, { ...options, note: "a word" }];
  const [lit, albedo] = await Promise.all(
    files.map(async (file) => await readWithThree(new Uint8Array(await encodeGlb(model, file)))),
  );
  assert.deepEqual([lit!.material, albedo!.material], ["MeshBasicMaterial", "MeshStandardMaterial"]);
  assert.deepEqual([lit!.userData, albedo!.userData], [{}, { note: "a word" }]);
  for (const { others, map, position, normal, uv, index } of [lit!, albedo!]) {
    assert.equal(others, 0);
    assert.ok(maxDifference(Float32Array.from(position), model.map((value) => 0.1 * value)) < 1e-6);
    assert.ok(normal[3 * 24 + 2]! > 0.9, "the middle of the face looks along +z");
    assert.deepEqual(uv, [...topology.uvs]);
    assert.deepEqual(index, [...topology.triangles]);
    assert.deepEqual(map, { colorSpace: "srgb", flipY: false, width: 16 });
  }
});
