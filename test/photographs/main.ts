/**
 * 300 inputs as people bring them, made of the portraits of training and validation persons, through `reconstruct`:
 * the five facial points of each result lie where those of the upright portrait lie, or the input is refused in plain
 * words, and no file is lost. A portrait that is upright and undamaged, in whatever form of file, must not be refused.
 * It prints a table, draws a sheet of all and fails on any violation. Arguments: about how many to try, the folder to
 * work in, and where to write the sheet that may be published. What an interrupted run has computed is in the folder's
 * store: run again with the same folder, it goes on there. `judged.json` in the folder says what became of each input.
 */
import { join } from "node:path";
import { sha256 } from "@ftim/pipeline";
import { type Reconstruction, reconstructPhotos } from "../../experiments/reconstruct_photo.ts";
import { asset, assetIds } from "../assets.ts";
import { quietEngine } from "../engine.ts";
import { distances, faultOfCount, faultOfWords, type Landmarks, TOLERANCE, truePoints, turnsIn } from "./judge.ts";
import { cutPortraits, filedPortraits, GROUPS } from "./portraits.ts";
import { sheetOf, type Tile } from "./sheet.ts";
import { KINDS, type Portrait, type Variant } from "./variants.ts";

const most = Number(Deno.args[0] ?? 300);
const folder = Deno.args[1] ?? await Deno.makeTempDir({ prefix: "ftim-300-" });
const published = Deno.args[2];
const share = Math.min(1, most / 300);
// where the faces lie does not depend on the size of their textures
const shared = { here: folder, size: 256, engine: quietEngine(join(folder, "store")) } as const;

/** Landmarks of each face of a result, and its box. */
async function facesOf({ faces }: Reconstruction) {
  return await Promise.all(faces.map(async (face) => {
    const record = JSON.parse(await Deno.readTextFile(join(folder, face.folder, "face.json")));
    return { box: face.box, landmarks: record.landmarks as Landmarks };
  }));
}

/** Runs many, and notes what was said. */
async function run(photos: readonly string[], output: string) {
  const said: string[] = [];
  const made = await reconstructPhotos({ ...shared, photos, output, say: (line) => void said.push(line) });
  return { ...made, said };
}

const { default: sharp } = await import("sharp");
for (const name of ["groups", "portraits", "inputs"]) await Deno.mkdir(join(folder, name), { recursive: true });
const files = await filedPortraits();
const groups = new Map(assetIds(GROUPS).map((id) => [id.replace(GROUPS, "groups/"), id]));
for (const [name, id] of groups) await Deno.writeFile(join(folder, name), await asset(id));
for (const { photo, faces } of (await run([...groups.keys()], "groups-done")).done) {
  files.push(...await cutPortraits(groups.get(photo)!, faces));
}
for (const { path, bytes } of files) await Deno.writeFile(join(folder, path), bytes);
const byPath = new Map(files.map((file) => [file.path, file]));
console.log(`${files.length} portraits`);
const base = await run([...byPath.keys()], "originals");
const originals = new Map<string, Landmarks>();
const portraits: Portrait[] = [];
for (const result of base.done) {
  const { id, bytes } = byPath.get(result.photo)!;
  const [face, ...others] = await facesOf(result);
  if (others.length > 0) continue;
  const { autoOrient: { width, height } } = await sharp(bytes).metadata();
  originals.set(id, face!.landmarks);
  portraits.push({ id, bytes, width, height, box: face!.box });
}
console.log(`${portraits.length} of them show one face`);
for (const { reason } of base.failed) console.log(`- refused: ${reason}`);
const violations = base.failed.map(({ photo, reason }) => `${photo}: an upright, undamaged portrait: ${reason}`);
if (portraits.length < 2) Deno.exit(1);

const inputs: { name: string; kind: string; variant: Variant }[] = [];
for (const [kind, { count, make }] of Object.entries(KINDS)) {
  for (let i = 0; i < Math.max(1, Math.round(share * count)); i++) {
    const index = inputs.length;
    const [one, other] = [0, 1].map((step) => portraits[(7 * index + 13 * step) % portraits.length]!);
    const variant = await make(one!, other!, index);
    const stem = `inputs/${String(index).padStart(3, "0")}`;
    const name = variant.extension === "" ? stem : `${stem}.${variant.extension}`;
    await Deno.writeFile(join(folder, name), variant.bytes);
    inputs.push({ name, kind, variant: { ...variant, bytes: new Uint8Array() } });
  }
}
// a file of the user's where a result would go
const mine = "results/000/photograph.png";
await Deno.mkdir(join(folder, "results/000"), { recursive: true });
await Deno.writeTextFile(join(folder, mine), "mine");
const theirs = [...byPath.keys(), ...inputs.map(({ name }) => name), mine];
const hashes = async () => {
  const found: string[] = [];
  for (const name of theirs) found.push(sha256(await Deno.readFile(join(folder, name)).catch(() => new Uint8Array())));
  return found;
};
const before = await hashes();
console.log(`${inputs.length} inputs in ${folder}`);

const tiles: Tile[] = [];
/** For whoever looks into a violation. */
const judged: unknown[] = [];
const rows = new Map<string, { inputs: number; right: number; refused: number; missed: number; worst: number }>();
const started = performance.now();
const { done, failed, said } = await run(inputs.map(({ name }) => name), "results");
const seconds = (performance.now() - started) / 1000;
for (const { name, kind, variant } of inputs) {
  const row = rows.get(kind) ?? { inputs: 0, right: 0, refused: 0, missed: 0, worst: 0 };
  rows.set(kind, row);
  row.inputs++;
  const result = done.find(({ photo }) => photo === name);
  const refusal = failed.find(({ photo }) => photo === name);
  const portrait = variant.faces[0]?.portrait.id ?? "no face";
  const fault = faultOfCount({
    whole: KINDS[kind]?.whole === true,
    faces: variant.faces.length,
    found: result?.faces.length ?? null,
    reason: refusal?.reason,
  });
  if (fault !== null) violations.push(`${name} (${kind}, ${portrait}): ${fault}`);
  if (result === undefined) {
    row.refused++;
    tiles.push({ kind, result: null });
    judged.push({ name, kind, portrait, reason: refusal?.reason });
    continue;
  }
  const found = (await facesOf(result)).map(({ landmarks }) => landmarks);
  const turns = turnsIn(result.notes);
  const truth = truePoints(variant, { originals, turns });
  const off = distances(found, truth);
  row.worst = Math.max(row.worst, ...off);
  row.missed += Math.max(0, variant.faces.length - found.length);
  const right = off.every((distance) => distance <= TOLERANCE);
  if (right) row.right++;
  else {
    const by = off.map((distance) => distance.toFixed(3)).join(", ");
    violations.push(`${name} (${kind}, ${portrait}): a face is off by ${by} of its width`);
  }
  judged.push({ name, kind, portrait, turns, off, truth, folder: result.folder });
  const picture = join(folder, result.folder, "photograph.png");
  const { width, height } = await sharp(picture).metadata();
  const free = variant.faces.every(({ portrait: { id } }) => id.startsWith(GROUPS));
  tiles.push({ kind, result: { width, height, faces: found, truth, right, picture, free } });
}
for (const words of [...said, ...failed.map(({ reason }) => reason), ...done.flatMap(({ notes }) => notes)]) {
  const fault = faultOfWords(words);
  if (fault !== null) violations.push(fault);
}
for (const [i, hash] of (await hashes()).entries()) if (hash !== before[i]) violations.push(`${theirs[i]} was changed`);

await Deno.writeTextFile(join(folder, "judged.json"), JSON.stringify(judged, null, 1));
console.log("| kind | inputs | right | refused | faces missed | worst, in widths |\n|---|---|---|---|---|---|");
for (const [kind, { inputs, right, refused, missed, worst }] of rows) {
  console.log(`| ${kind} | ${inputs} | ${right} | ${refused} | ${missed} | ${worst.toFixed(3)} |`);
}
console.log(`\n${inputs.length} inputs in ${seconds.toFixed(0)} s; ${violations.length} violations`);
for (const violation of violations) console.log(`- ${violation}`);
console.log("\nReasons:");
for (const { reason } of failed) console.log(`- ${reason}`);
const sheet = join(folder, "sheet.webp");
await Deno.writeFile(sheet, await sheetOf(tiles, { show: "all" }));
if (published !== undefined) await Deno.writeFile(published, await sheetOf(tiles, { show: "free" }));
console.log(`\nAll on one picture: ${sheet}`);
Deno.exit(violations.length === 0 ? 0 : 1);
