import assert from "node:assert/strict";
import { checkSheet, isOurs, renewSheet, writeSheet } from "../../../experiments/photographs/contact_sheet.ts";
import { putInPlace } from "../../../experiments/photographs/place.ts";
import { withScratch } from "../../stages/scratch.ts";

const identity = { path: "/x/me.jpg", sha256: "0".repeat(64) };
const result = (record: string) =>
  new Map(
    Object.entries({ "photograph.png": "", "face.json": record }).map(([path, text]) => {
      return [path, new TextEncoder().encode(text)];
    }),
  );

Deno.test("a page that was edited is left as it is, and refused where it would be replaced", () =>
  withScratch(async ({ folder }) => {
    const page = await writeSheet(folder, { failed: [{ photo: "a.jpg", reason: "a.jpg: <no> face" }] });
    assert.equal(await isOurs(page), true);
    await checkSheet(folder);
    await renewSheet(folder);
    assert.doesNotMatch(await Deno.readTextFile(page), /Without a result/);
    const edited = (await Deno.readTextFile(page)).replace("Reconstructed faces", "My holiday");
    await Deno.writeTextFile(page, edited);
    assert.equal(await isOurs(page), false);
    await renewSheet(folder);
    assert.equal(await Deno.readTextFile(page), edited);
    await assert.rejects(checkSheet(folder), /index\.html is there, and no earlier run made it so: move it away/);
  }));

Deno.test("where there is no page none is made anew; a damaged record is said on the page", () =>
  withScratch(async ({ folder }) => {
    await renewSheet(folder);
    assert.equal(await isOurs(`${folder}/index.html`), null);
    for (const record of ["{", "{}"]) {
      await putInPlace(`${folder}/me`, { files: result(record), identity });
      const text = await Deno.readTextFile(await writeSheet(folder, { failed: [] }));
      assert.match(text, /<h1>1 photograph<[^]*face\.json is damaged: reconstruct the photograph again/);
    }
  }));
