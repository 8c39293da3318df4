import assert from "node:assert/strict";
import { reportPage } from "../../../../stages/figures/parts/report_page.ts";

Deno.test("reportPage() is one file: tables and pictures inside, nothing to load", async () => {
  const page = await reportPage({
    title: "A & B",
    sections: [
      {
        markdown: "# Table 1\n\n| method | L1 |\n| :-- | --: |\n| Ours | **0.02** |\n\nmy\\_photo \\<b>",
        pictures: [],
      },
      { markdown: "# Figure", pictures: [{ name: "figure3.png", png: Uint8Array.of(1, 2, 3) }] },
    ],
  });
  assert.match(page, /<title>A &#38; B<\/title>/);
  assert.match(page, /<td align="right"><strong>0\.02<\/strong><\/td>/);
  assert.match(page, /my_photo &lt;b&gt;/);
  assert.match(page, /src="data:image\/png;base64,AQID"/);
  assert.equal(page.match(/<h1>/g)?.length, 1);
  assert.doesNotMatch(page, /(src|href)="(?!data:)|<script/);
});
