import assert from "node:assert/strict";
import { sha256 } from "@ftim/pipeline";
import { inodeOf, objectionTo } from "../../../experiments/photographs/owner.ts";
import {
  checkWritable,
  chooseFolder,
  folderNameOf,
  putInPlace,
  roomFault,
} from "../../../experiments/photographs/place.ts";
import { withScratch } from "../../stages/scratch.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const filesOf = (record: Readonly<Record<string, string>>) =>
  new Map(Object.entries(record).map(([path, text]) => [path, bytes(text)]));
const identity = (path: string | null, text = path ?? "") => ({ path, sha256: sha256(bytes(text)) });
const none = { photographs: new Set<string>(), taken: new Set<string>() };

/** All files below a folder, hidden ones too. */
function listing(folder: string, below = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${below}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? listing(folder, `${below}${name}/`) : [below + name]
  ).sort();
}

Deno.test("a photograph's folder has its name without the extension, and nothing else is taken off", () => {
  for (
    const [photo, name] of [
      ["a/john.smith.jpg", "john.smith"],
      ["WhatsApp Image 2024-01-01 at 10.11.12.jpeg", "WhatsApp Image 2024-01-01 at 10.11.12"],
      ["noextension", "noextension"],
      ["10.11.12", "10.11.12"],
      [".hidden.jpg", "hidden"],
      ["back\\slash.JFIF", "back_slash"],
      ["x.heic", "x"],
      ["..jpg", "photograph"],
      // not the page of all results
      ["Index.html.jpg", "Index.html_"],
      [`${"é".repeat(130)}.jpg`, "é".repeat(120)],
    ] as const
  ) {
    assert.equal(folderNameOf(photo), name);
  }
});

Deno.test("another photograph's result is not replaced: it gets a number, and keeps it", () =>
  withScratch(async ({ folder }) => {
    const choose = (photo: string, taken = new Set<string>()) =>
      chooseFolder([folder, "photo"], { ...none, taken, identity: identity(photo) });
    const [jpg, png, third] = ["/x/photo.jpg", "/x/photo.png", "/y/photo.jpg"];
    for (const [photo, expected] of [[jpg, "photo"], [png, "photo-2"], [third, "photo-3"]] as const) {
      const { folder: where, because } = await choose(photo);
      assert.equal(where, `${folder}/${expected}`);
      assert.equal(because === null, photo === jpg);
      await putInPlace(where, { files: filesOf({ "texture.png": photo }), identity: identity(photo) });
    }
    const again = await choose(png);
    assert.deepEqual([again.folder, again.because], [`${folder}/photo-2`, "its earlier result is there"]);
    assert.match((await choose("/z/photo.jpg")).because!, /the result of another photograph \(\/x\/photo\.jpg\)/);
    assert.equal((await choose(jpg)).folder, `${folder}/photo`);
    assert.equal(Deno.readTextFileSync(`${folder}/photo/texture.png`), jpg);
    // in one run, two of the same content
    const taken = new Set([`${folder}/photo`.toLowerCase()]);
    assert.equal((await choose(jpg, taken)).folder, `${folder}/photo-4`);
  }));

Deno.test("files of the user's in the place of ours, and edited results, are not replaced", () =>
  withScratch(async ({ folder, write }) => {
    const objection = async (where: string, photographs = new Set<string>()) =>
      (await objectionTo(`${folder}/${where}`, { identity: identity("/me.jpg"), photographs }))?.reason ?? null;
    assert.equal(await objection("absent"), null);
    await write("other/notes.txt", "mine");
    await write("other/2019/holiday.jpg", "mine");
    assert.equal(await objection("other"), null);
    await write("mine/Photograph.PNG", "mine");
    assert.match((await objection("mine"))!, /Photograph\.PNG is there, and no earlier run/);
    await write("faces/0/face.glb", "mine");
    assert.match((await objection("faces"))!, /0\/face\.glb is there/);
    await putInPlace(`${folder}/ours`, { files: filesOf({ "texture.png": "a" }), identity: identity("/me.jpg") });
    assert.equal(await objection("ours"), null);
    await write("ours/texture.png", "painted over");
    assert.match((await objection("ours"))!, /texture\.png was changed since it was made/);
    await write("a file", "mine");
    assert.match((await objection("a file"))!, /a file is a file where a folder must be/);
    await write("mine/source.json", "{}");
    assert.match((await objection("mine"))!, /no earlier run/);
    await Deno.symlink(`${folder}/other/notes.txt`, `${folder}/other/albedo.png`);
    assert.match((await objection("other"))!, /albedo\.png is a link/);
  }));

Deno.test("a photograph is never written over, by whatever path it is named", () =>
  withScratch(async ({ folder, write }) => {
    await write("d/photograph.png", "the only copy");
    await Deno.symlink(`${folder}/d`, `${folder}/link`);
    const photographs = new Set([inodeOf(await Deno.stat(`${folder}/d/photograph.png`))]);
    for (const where of ["d", "link", "d/../link/."]) {
      const objection = await objectionTo(`${folder}/${where}`, { identity: identity("/any"), photographs });
      assert.ok(objection?.photograph, where);
    }
    // also where an earlier run made it
    await Deno.remove(`${folder}/d/photograph.png`);
    await putInPlace(`${folder}/d`, { files: filesOf({ "photograph.png": "x" }), identity: identity("/me.jpg") });
    const ours = new Set([inodeOf(await Deno.stat(`${folder}/d/photograph.png`))]);
    const objection = await objectionTo(`${folder}/d`, { identity: identity("/me.jpg"), photographs: ours });
    assert.ok(objection?.photograph);
  }));

Deno.test("what an earlier run of the same photograph left is removed, and nothing else", () =>
  withScratch(async ({ folder, write }) => {
    const where = `${folder}/out`;
    const me = identity("/me.jpg", "three faces");
    const three = filesOf({ "0/face.glb": "a", "1/face.glb": "b", "2/face.glb": "c", "photograph.png": "p" });
    await putInPlace(where, { files: three, identity: me });
    await write("out/notes.txt", "mine");
    await write("out/1/notes.txt", "mine");
    await write("out/2/face.glb", "edited");
    await putInPlace(where, { files: filesOf({ "face.glb": "x", "photograph.png": "q" }), identity: me });
    assert.deepEqual(listing(where), [
      "1/notes.txt",
      "2/face.glb",
      "face.glb",
      "notes.txt",
      "photograph.png",
      "source.json",
    ]);
    assert.equal(Deno.readTextFileSync(`${where}/photograph.png`), "q");
    assert.equal(
      await objectionTo(where, { identity: me, photographs: new Set() }).then((no) => no?.reason),
      `${where}/2/face.glb was not made by an earlier run`,
    );
  }));

Deno.test("a result that cannot be written leaves the earlier one whole, and nothing beside it", () =>
  withScratch(async ({ folder }) => {
    const me = identity("/me.jpg");
    await putInPlace(`${folder}/out`, { files: filesOf({ "texture.png": "old" }), identity: me });
    const before = Deno.readTextFileSync(`${folder}/out/source.json`);
    const bad = filesOf({ "texture.png": "new", ["x".repeat(300)]: "too long a name" });
    await assert.rejects(putInPlace(`${folder}/out`, { files: bad, identity: me }), /cannot be written: .*shorter/);
    assert.deepEqual(listing(`${folder}/out`), ["source.json", "texture.png"]);
    assert.equal(Deno.readTextFileSync(`${folder}/out/texture.png`), "old");
    assert.equal(Deno.readTextFileSync(`${folder}/out/source.json`), before);
    await assert.rejects(putInPlace(`${folder}/new`, { files: bad, identity: me }), /cannot be written/);
    assert.ok(!listing(folder).some((path) => path.startsWith("new")));
  }));

Deno.test("where nothing can be written is said in plain words, and leaves nothing", () =>
  withScratch(async ({ folder, write }) => {
    await write("file", "");
    const refused = (where: string, message: RegExp) => assert.rejects(checkWritable(where, { bytes: 0 }), message);
    await refused(`${folder}/file`, /file is a file where a folder must be/);
    await refused(`${folder}/file/below/it`, /file is a file where a folder must be/);
    await Deno.symlink(`${folder}/nowhere`, `${folder}/dangling`);
    await refused(`${folder}/dangling/x`, /dangling.x cannot be written/);
    if (Deno.build.os === "linux") {
      await refused("/proc/nowhere/x", /\/proc\/nowhere\/x cannot be written: (?!.*(os error|--allow))/);
    }
    await checkWritable(`${folder}/a/b/c`, { bytes: 0 });
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["dangling", "file"]);
    await assert.rejects(
      checkWritable(folder, { bytes: 1e18 }),
      /its disk has \d+ MB left and about \d+ MB are needed/,
    );
    assert.equal(roomFault({ free: 2e6, needed: 2e6 }), null);
  }));
