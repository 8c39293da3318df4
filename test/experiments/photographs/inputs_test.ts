import assert from "node:assert/strict";
import { findPhotographs } from "../../../experiments/photographs/inputs.ts";
import { withScratch } from "../../stages/scratch.ts";
import { ramp } from "./pictures.ts";

Deno.test("files, folders and patterns become photographs, each once; what is none is left out or named", () =>
  withScratch(async ({ folder, write }) => {
    const png = new Uint8Array(await (await ramp()).png().toBuffer());
    for (const path of ["a.jpg", "b [1].jpg", "photos/c.png", "photos/.hidden.png", "photos/deep/noextension"]) {
      await write(path, png);
    }
    await write("photos/notes.txt", "no picture");
    await write("photos/broken.jpg", "named as a picture");
    await write("photos/index.html", '<meta name="generator" content="ftim reconstruct">');
    await write("results/me/texture.png", png);
    await write("results/me/source.json", "{}");
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
    assert.deepEqual((await find("results/me/texture.png")).names, ["results/me/texture.png"]);
  }));
