/** A person's folder, made ready for the stages. */
import assert from "node:assert/strict";
import { stagePhotographs } from "../../../experiments/photographs/staged.ts";
import { withScratch } from "../../stages/scratch.ts";
import { bmp, ramp } from "./pictures.ts";

/** Relative paths of all files below a folder. */
function filesOf(folder: string, below = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${below}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesOf(folder, `${below}${name}/`) : [below + name]
  ).sort();
}

Deno.test("names stay but for dots, what cannot be read is refused by name, folders apart are left alone", () =>
  withScratch(async ({ folder, write }) => {
    const png = await (await ramp()).png().toBuffer();
    await write("photos/a.png", png);
    await write("photos/deep/b.2024.png", png);
    await write("photos/c.bmp", await bmp());
    await write("photos/c.png", png);
    await write("photos/torn.jpg", "no picture");
    await write("photos/scores/figure3.png", png);
    await write("photos/notes.txt", "not looked at");
    await write("photos/video.jpg", "");
    await Deno.truncate(`${folder}/photos/video.jpg`, 2.1e9);
    await write("work/keep", "");
    const work = `${folder}/work`;
    const staged = await stagePhotographs("photos", { here: folder, work, apart: ["photos/scores"] });
    assert.deepEqual(filesOf(staged.path), ["a.png", "c.png", "deep/b_2024.png"]);
    assert.equal(staged.count, 3);
    assert.deepEqual(Object.keys(staged.refused), ["c.png", "torn.jpg", "video.jpg"]);
    assert.match(staged.refused["c.png"]!, /another photograph is called c, too/);
    assert.match(staged.refused["torn.jpg"]!, /^not a picture/);
    assert.equal(staged.refused["video.jpg"], "2 GB are too many for a photograph: export it as JPEG");
    for (const apart of [["."], ["photos"], ["elsewhere"]]) {
      assert.equal((await stagePhotographs("photos", { here: folder, work, apart })).count, 4, "not below it");
    }
    const fault = (stem: string) => stem === "a" ? null : "not here";
    const one = await stagePhotographs("photos", { here: folder, work, fault });
    assert.deepEqual(filesOf(one.path), ["a.png"]);
    assert.equal(one.refused["deep/b.2024.png"], "not here");
  }));

Deno.test("a folder that is absent, empty or holds nothing to score ends in an error with the reasons", () =>
  withScratch(async ({ folder, write }) => {
    await Deno.mkdir(`${folder}/empty`);
    await write("torn/a.jpg", "no picture");
    await write("work/keep", "");
    const options = { here: folder, work: `${folder}/work` };
    await assert.rejects(stagePhotographs("absent", options), /^ReconstructError: absent: there is no such folder$/);
    await assert.rejects(stagePhotographs("empty", options), /empty: there is no picture in it/);
    await assert.rejects(
      stagePhotographs("torn", options),
      /torn: none of its pictures can be scored: a\.jpg \(not a picture/,
    );
  }));
