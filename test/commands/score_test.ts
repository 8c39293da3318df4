/** `score` on the command line, as far as it computes nothing. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withScratch } from "../stages/scratch.ts";

async function run(args: readonly string[], { called }: { readonly called?: string } = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "main.ts", "score", ...args],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { NO_COLOR: "1", ...(called === undefined ? {} : { INIT_CWD: called }) },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("--help of score shows its options, its methods, how long a training takes, where to read on", async () => {
  const { code, out } = await run(["--help"]);
  assert.equal(code, 0);
  const words = ["--photos", "--triplets", "--picked", "--overlays", "--methods", "--output", "printed", "guess"];
  for (const word of [...words, "minutes", "docs/score.md", "Exit status:"]) assert.ok(out.includes(word), word);
  for (const word of ["--steps", "--training-triplets", "--experiment"]) assert.ok(!out.includes(word), word);
});

Deno.test("what is wrong with the options is said in one line, without a stage or a stack", () =>
  withScratch(async ({ folder, write }) => {
    await write("photos/me.txt", "no picture");
    await write("csv", "left,frontal,right");
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^name a folder: --photos FOLDER, --triplets FOLDER, or both$/],
      [["--photos", "absent"], /^absent: there is no such folder$/],
      [["--photos", "photos"], /^photos: there is no picture in it \(1 file that are none\)$/],
      [["--photos", "photos", "--picked", "csv"], /^--picked and --draw are of captures/],
      [["--triplets", "photos", "--overlays", "a=photos"], /^--overlays are pictures of photographs/],
      [["--photos", "photos", "--overlays", "a=absent"], /^--overlays a=absent: there is no such folder$/],
      [
        ["--photos", "photos", "--overlays", "FTIM as printed=photos"],
        /^--overlays: a row is called "FTIM as printed" already/,
      ],
      [
        ["--photos", "photos", "--overlays", "a=photos", "--overlays", "a=photos"],
        /^--overlays: two rows are called "a"/,
      ],
      [["--photos", "photos", "--methods", "mine"], /^--methods: there is no "mine": deca, .*, guess$/],
      [
        ["--photos", "photos", "--methods", "tran", "--trained", "t"],
        /^t has no networks of tran: name other --methods$/,
      ],
      [["--photos", "photos", "--output", "photos"], /^photos: results cannot go into a folder that is scored/],
      [["--triplets", "photos", "--picked", "absent.csv"], /^absent\.csv: there is no such file$/],
    ];
    const found = await Promise.all(cases.map(([args]) => run(args, { called: folder })));
    for (const [i, [args, expected]] of cases.entries()) {
      const { code, err } = found[i]!;
      assert.equal(code, 1, args.join(" "));
      assert.match(err.trim(), expected, args.join(" "));
    }
    const { err } = await run(["--photos", "photos", "--overlays", "folder"]);
    assert.match(err, /It must be NAME=FOLDER/);
  }));

Deno.test("files that no earlier run made are not written over, and nothing is computed", () =>
  withScratch(async ({ folder, write }) => {
    await write("photos/me.txt", "no picture");
    await write("scores/faces.csv", "mine");
    const { code, err } = await run(["--photos", "photos"], { called: folder });
    assert.equal(code, 1);
    assert.match(err.trim(), /^scores: faces\.csv is there, and no earlier run made it; name another --output$/);
    assert.equal(await Deno.readTextFile(`${folder}/scores/faces.csv`), "mine");
  }));
