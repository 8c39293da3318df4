import { CUT_THROUGH, TOO_SMALL } from "../../../stages/geometry/seen_skin.ts";
import assert from "node:assert/strict";
import type { Tree } from "@ftim/pipeline";
import { FACE_FILES } from "../../../experiments/photographs/owner.ts";
import { resultOf } from "../../../experiments/photographs/result.ts";

/** A tree of JSON documents. */
function tree(files: Readonly<Record<string, unknown>>, skipped: Readonly<Record<string, string>> = {}): Tree {
  const text = (path: string) => Promise.resolve(JSON.stringify(files[path]));
  return {
    paths: Object.keys(files),
    skipped: new Map(Object.entries(skipped)),
    has: (path) => path in files,
    entry: (path) => ({ sha256: path, size: 0 }),
    bytes: async (path) => new TextEncoder().encode(await text(path)),
    text,
    json: async <T>(path: string) => JSON.parse(await text(path)) as T,
    file: (path) => path,
  };
}

const box = (left: number) => ({ left, top: 10, width: 66, height: 42, score: 0.7 });
const other = {
  schema: 1,
  photograph: { width: 600, height: 900 },
  landmarks: { points: [[1, -2.5, 3], [0, 1e-9, 6]] },
  crop: { scale: 3, x: 5, y: 6, size: 224 },
  camera: { matrix: [[1, 2, 3, 4.5]] },
};
const head = (face: number) => ({
  face,
  box: box(0),
  angles: { yaw: 0, pitch: 0, roll: 0 },
  seen: 0.5,
  cutOff: [],
  colourless: false,
  ...other,
});
const files = (face: number) =>
  Object.fromEntries(
    FACE_FILES.map((name) => [`k/${face}/${name}`, name === "face.json" ? head(face) : `${name} ${face}`]),
  );

const REDUCED = "reduced from 1800×1200 pixels";

function computed(
  { candidates, meshes, heads, cut = {} }: {
    candidates: number;
    meshes: number[];
    heads: number[];
    cut?: Record<string, string>;
  },
) {
  const found = {
    imported: tree({ "k.png": 0, "k.json": { notes: [REDUCED] } }),
    images: tree({
      "k.png": 0,
      "k.json": {
        notes: [REDUCED, "turned by 90° clockwise"],
        width: 600,
        original: { width: 1200, height: 1800 },
      },
    }),
    detections: tree({ "k.json": { faces: Array.from({ length: candidates }, (_, i) => box(100 * i)) } }),
    meshes: tree(Object.fromEntries(meshes.map((face) => [`k/${face}.safetensors`, 0])), { "k/0": "score 0.00" }),
  };
  const all = tree(Object.assign({}, ...heads.map(files)));
  const made = { heads: all, pasted: tree({ "k.png": 0 }) };
  return { found, unwrapped: tree({}, cut), made };
}
const of = (what: Parameters<typeof computed>[0]) => resultOf(computed(what), { key: "k", photo: "me.jpg" });

Deno.test("only faces count: what is none on a closer look gets no number, and is named in plain words", async () => {
  const one = await of({ candidates: 2, meshes: [1], heads: [1] });
  assert.deepEqual([...one.files.keys()].sort(), [...FACE_FILES, "photograph.png"].sort());
  const text = new TextDecoder().decode(one.files.get("face.json"));
  const record = JSON.parse(text);
  assert.deepEqual([record.schema, record.face], [1, 0]);
  const original = { width: 1200, height: 1800 };
  assert.deepEqual(record.photograph, { file: "photograph.png", width: 600, height: 900, original });
  // a pixel of the reduced photograph is two of the file's
  assert.deepEqual(record.landmarks.points, [[2, -5, 6], [0, 0, 12]]);
  assert.deepEqual([record.box.left, record.box.top, record.box.width], [0, 20, 132]);
  assert.deepEqual([record.crop, record.camera.matrix], [{ ...other.crop, scale: 1.5 }, [[2, 4, 6, 9]]]);
  assert.match(text, /\n {3}\[2, -5, 6\],\n/);
  assert.deepEqual(Object.keys(one.heads[0]!), ["face", "box", "angles", "seen", "cutOff", "colourless"]);
  assert.deepEqual(one.leftOut, [
    "Left out: what looks like a face (132×84 pixels, at 0, 20) is none on a closer look",
  ]);
  assert.deepEqual(one.notes, [
    `the photograph was ${REDUCED}`,
    "the photograph was turned by 90° clockwise",
  ]);
  const two = await of({ candidates: 4, meshes: [1, 2, 3], heads: [1, 3] });
  assert.deepEqual(two.heads.map(({ face }) => face), [0, 1]);
  const second = JSON.parse(new TextDecoder().decode(two.files.get("1/face.json")));
  assert.deepEqual([second.face, second.photograph.file], [1, "../photograph.png"]);
  assert.equal(new TextDecoder().decode(two.files.get("1/texture.png")), '"texture.png 3"');
  assert.match(two.leftOut[1]!, /at 400, 20\) is turned so far away/);
});

Deno.test("a face that the edge cuts through, or a tiny one, is left out, and the reason said", async () => {
  const cut = { "k/0": `k/0: ${CUT_THROUGH}` };
  await assert.rejects(
    of({ candidates: 1, meshes: [0], heads: [], cut }),
    /me\.jpg: no face can be reconstructed\. .*is cut off by/,
  );
  const one = await of({ candidates: 2, meshes: [0, 1], heads: [1], cut });
  assert.match(one.leftOut[0]!, /is cut off by the photograph's edge: an eye/);
  const tiny = await of({ candidates: 2, meshes: [0, 1], heads: [1], cut: { "k/0": `k/0: ${TOO_SMALL}` } });
  assert.match(tiny.leftOut[0]!, /is too small: a face needs a width of about \d+ pixels$/);
});

Deno.test("a photograph without a face is refused, and what looked like one is named", async () => {
  await assert.rejects(
    of({ candidates: 1, meshes: [], heads: [] }),
    /^ReconstructError: me\.jpg: no face was found\. .*closer look/,
  );
  const { found, made } = computed({ candidates: 0, meshes: [], heads: [] });
  const at = { key: "k", photo: "me.jpg" };
  const refused = (change: Partial<typeof found>, message: RegExp) =>
    assert.rejects(resultOf({ found: { ...found, ...change }, unwrapped: null, made }, at), message);
  await refused({ detections: tree({}) }, /me\.jpg: no face was found\. A face must be turned to the side by less/);
  await refused(
    { imported: tree({}, { k: "k.jpg: truncated or damaged" }) },
    /me\.jpg: the file is truncated or damaged: copy/,
  );
});
