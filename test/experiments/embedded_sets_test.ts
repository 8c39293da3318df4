import assert from "node:assert/strict";
import type { Artifact } from "@ftim/pipeline";
import { evaluationSet, trainingSet } from "../../experiments/embedded_sets.ts";
import { assetIds } from "../assets.ts";

const idsOf = ({ node }: Artifact) => (node as unknown as { params: { files: { id: string }[] } }).params.files;
const namesOf = (artifact: Artifact) => idsOf(artifact).map(({ id }) => id);
const personsOf = (artifact: Artifact) => new Set(namesOf(artifact).map((id) => id.split("/")[1]!));

Deno.test("the published tables train on all of train/ and score test/ and held/", () => {
  const { portraits, ...others } = trainingSet({});
  assert.deepEqual(namesOf(portraits), assetIds("train/"));
  assert.deepEqual(others, { persons: 34 });
  const { photographs, heads, triplets } = evaluationSet({});
  assert.deepEqual([photographs, heads, triplets], ["test/", "held/", 20]);
});

Deno.test("the second sets choose settings on what the first score, and score what nobody has seen", () => {
  assert.deepEqual(evaluationSet({ sets: "second", on: "validation" }), evaluationSet({}));
  const { photographs, heads, expectedFaces, shownFace, shown } = evaluationSet({ sets: "second" });
  const keys = assetIds(photographs).map((id) => id.slice(0, id.lastIndexOf(".")));
  assert.deepEqual(Object.keys(expectedFaces).sort(), keys.toSorted());
  assert.equal(Object.values(expectedFaces).reduce((sum, faces) => sum + faces, 0), 40);
  for (const key of [...shown!.photographs!, shownFace.slice(0, shownFace.lastIndexOf("/"))]) {
    assert.ok(shown!.photographs!.includes(key) && keys.includes(key), key);
  }
  for (const head of shown!.heads!) assert.ok(head.startsWith(heads) && assetIds(`${head}/`).length > 0, head);
});

Deno.test("the second sets train on more persons, not on stills of a video; fewer persons are the first of all", () => {
  const all = trainingSet({ sets: "second" });
  const names = namesOf(all.portraits);
  assert.deepEqual([names.length, personsOf(all.portraits).size], [235, 232]);
  assert.ok(names.every((id) => /^(train|more)\//.test(id) && !id.includes("franck")));
  const [few, some] = [40, 90].map((persons) => trainingSet({ sets: "second", persons }));
  assert.equal(personsOf(few!.portraits).size, 40);
  assert.ok(personsOf(few!.portraits).isSubsetOf(personsOf(some!.portraits)));
  assert.ok(namesOf(few!.portraits).some((id) => id.startsWith("train/")), "both kinds of persons are drawn early");
});

Deno.test("the second sets make heads of the first 128 training persons at most, or of as many as is said", () => {
  const sources = (options: Parameters<typeof trainingSet>[0]) =>
    personsOf(trainingSet({ sets: "second", ...options }).sources!);
  assert.equal(sources({}).size, 128);
  assert.deepEqual(sources({}), personsOf(trainingSet({ sets: "second", persons: 128 }).portraits));
  assert.equal(sources({ identities: 5 }).size, 5);
  assert.ok(sources({ identities: 5 }).isSubsetOf(sources({ persons: 6 })));
});

Deno.test("what the sets lack is refused", () => {
  assert.throws(() => evaluationSet({ on: "validation" }), /"on" is of the sets "second" alone/);
  assert.throws(() => trainingSet({ persons: 5 }), /"persons" is of the sets "second" alone/);
  assert.throws(() => trainingSet({ sets: "second", persons: 233 }), /There are 232 training persons, not 233/);
});
