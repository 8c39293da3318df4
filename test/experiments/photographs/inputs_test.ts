import assert from "node:assert/strict";
import { writeSheet } from "../../../experiments/photographs/contact_sheet.ts";
import { findPhotographs } from "../../../experiments/photographs/inputs.ts";
import { putInPlace } from "../../../experiments/photographs/place.ts";
import { withScratch } from "../../stages/scratch.ts";
import { ramp } from "./pictures.ts";

const identity = { path: "/x/me.jpg", sha256: "0".repeat(64) };

Deno.test("files, folders and patterns become photographs, each once; what is none is left out or named", () =>
  withScratch(async ({ folder, write }) => {
    const png = new Uint8Array(await (await ramp()).png().toBuffer());
    for (const path of ["a.jpg", "b [1].jpg", "photos/c.png", "photos/.hidden.png", "photos/deep/noextension"]) {
      await write(path, png);
    }
    await write("photos/notes.txt", "no picture");
    await write("photos/broken.jpg", "named as a picture");
    await writeSheet(`${folder}/photos`, { failed: [] });
    await putInPlace(`${folder}/results/me`, { files: new Map([["0/texture.png", png]]), identity });
    await Deno.mkdir(`${folder}/empty`);
    const find = async (...named: string[]) => {
      const { inputs, failed, several, notes } = await findPhotographs(named, { here: folder });
      return { names: inputs.map(({ name }) => name), failed: failed.map(({ reason }) => reason), several, notes };
    };
    assert.deepEqual(await find("a.jpg"), { names: ["a.jpg"], failed: [], several: false, notes: [] });
    assert.deepEqual((await find("b [1].jpg", "*.jpg")).names, ["b [1].jpg", "a.jpg"]);
    assert.deepEqual(await find("photos"), {
      names: ["photos/broken.jpg", "photos/c.png", "photos/deep/noextension"],
      failed: [],
      several: true,
      notes: ["photos: 1 file left out, not being pictures that can be read"],
    });
    assert.deepEqual((await find("a.jpg", "./a.jpg", `${folder}/a.jpg`)).names, ["a.jpg"]);
    assert.deepEqual(await find("absent.jpg", "*.heic", "empty", "results", "a.jpg"), {
      names: ["a.jpg"],
      failed: [
        "absent.jpg: there is no such file",
        "*.heic: no picture has such a name",
        "empty: there is no picture in it",
        "results: there is no picture in it",
      ],
      several: true,
      notes: [],
    });
    // a picture below a folder of results is found where it is named itself
    assert.deepEqual((await find("results/me/0/texture.png")).names, ["results/me/0/texture.png"]);
    // photographs beside a result, or beside a file of the user's that is called as the record is, are photographs
    await write("results/me/mine.png", png);
    await write("photos/source.json", '{"x":1}');
    assert.deepEqual((await find("results")).names, ["results/me/mine.png"]);
    assert.equal((await find("photos")).names.length, 3);
  }));

Deno.test("what cannot be opened by its name is named, and stops nothing", () =>
  withScratch(async ({ folder, write }) => {
    await write("photos/a.png", new Uint8Array(await (await ramp()).png().toBuffer()));
    await Deno.symlink("loop", `${folder}/loop`);
    await Deno.symlink("loop", `${folder}/photos/loop`);
    const long = `${"z".repeat(300)}.jpg`;
    const find = (...named: string[]) => findPhotographs(named, { here: folder });
    const found = await find("photos", "loop", long, "caf\ufffd.jpg");
    assert.deepEqual(found.inputs.map(({ name }) => name), ["photos/a.png"]);
    assert.deepEqual(found.failed.map(({ reason }) => reason), [
      "loop: there is no such file",
      `${long}: there is no such file`,
      "caf\ufffd.jpg: the name is not valid UTF-8: rename it",
    ]);
    if (Deno.build.os !== "linux") return;
    await new Deno.Command("sh", { args: ["-c", "cp a.png \"$(printf 'caf\\351.jpg')\""], cwd: `${folder}/photos` })
      .output();
    assert.deepEqual((await find("photos")).notes, [
      "photos: 1 file left out, for the name is not valid UTF-8: rename what is so called",
    ]);
  }));
