import assert from "node:assert/strict";
import { page as addPage } from "../../commands/page.ts";
import { filledPage } from "../../commands/page_numbers.ts";
import { inProcess } from "./in_process.ts";

/** Published files, as runs write them. */
const FILES: Readonly<Record<string, string>> = {
  "set/table1.csv": [
    "region,method,psnr,psnr_low,psnr_high,l1",
    "masked,linear albedo (DECA's model),21.4,20.1,22.2,0.05",
    "masked,FTIM as printed,23.456,22,25,0.04",
    "masked,true texture (oracle),29,28,30,0.01",
    "full,FTIM as printed,9.1,9,9.2,0.9",
  ].join("\n"),
  "set/margins.csv": [
    "row,psnr,psnr_low,psnr_high",
    "linear albedo (DECA's model),-1,-2,-0.5",
    "albedo and detail (Chen's model),0.004,-0.1,0.2",
    "FTIM as printed,1,0.5,2",
    "FTIM with a first guess (ours),0,0,0",
    '"untrained: the first guess (seen, else mirrored)",-0.004,-0.1,0.1',
    "without photometric,-1,-2,-0.5",
    "without photometric and identity,1,-2,3",
  ].join("\n"),
  "set/report.json": JSON.stringify({ bins: [{ before: 2.218 }, { before: 3.3 }], "a/b": 0.98546, "gain.psnr": "0.5" }),
};

function read(path: string): string {
  const file = FILES[path];
  if (file === undefined) throw new Error(`There is no results/${path}`);
  return file;
}

Deno.test("a table is filled in the page's own form, from the face mask, with the best method in bold", () => {
  const page = [
    "Before.",
    "",
    "<!-- cells: set/table1.l1 | .psnr | | set/table1.psnr -->",
    "| | L1 ↓ | PSNR ↑ | by hand | with its interval |",
    "|---|---:|---:|---:|---:|",
    "| linear albedo (DECA's model) | **0.999** | 1.00 | 7 | 1.0 [0.0, 2.0] |",
    "| FTIM as printed | | **2.00** | | |",
    "| true texture (oracle) | | | 8 | |",
    "",
    "After.",
  ].join("\n");
  assert.equal(
    filledPage(page, read),
    [
      "Before.",
      "",
      "<!-- cells: set/table1.l1 | .psnr | | set/table1.psnr -->",
      "| | L1 ↓ | PSNR ↑ | by hand | with its interval |",
      "|---|---:|---:|---:|---:|",
      "| linear albedo (DECA's model) | 0.050 | 21.40 | 7 | 21.4 [20.1, 22.2] |",
      "| FTIM as printed | **0.040** | **23.46** | | 23.5 [22.0, 25.0] |",
      "| true texture (oracle) | 0.010 | 29.00 | 8 | 29.0 [28.0, 30.0] |",
      "",
      "After.",
    ].join("\n"),
  );
});

Deno.test("a number of a sentence keeps its decimals, its unit and its interval", () => {
  const value = (source: string, old: string) => filledPage(`It is <!-- value: ${source} -->${old}<!-- / -->.`, read);
  assert.equal(
    value("set/margins[untrained: the first guess].psnr", "9.9 dB [9.9, 9.9]"),
    "It is <!-- value: set/margins[untrained: the first guess].psnr -->-0.0 dB [-0.1, 0.1]<!-- / -->.",
  );
  assert.equal(
    value("set/table1[FTIM as printed].psnr", "9 %"),
    "It is <!-- value: set/table1[FTIM as printed].psnr -->23 %<!-- / -->.",
  );
});

Deno.test("a number of a JSON file has its pointer, a list its length, and a share may be in percent", () => {
  const page = "| of <!-- value: set/report.json#/bins -->0<!-- / --> | " +
    "<!-- value: set/report.json#/bins/0/before -->9.99<!-- / --> |";
  assert.equal(filledPage(page, read), page.replace(">0<", ">2<").replace("9.99", "2.22"));
  const value = (pointer: string, old: string) =>
    filledPage(`It is <!-- value: set/report.json#${pointer} -->${old}<!-- / -->.`, read);
  assert.match(value("/a~1b", "1.0 %"), />98.5 %</);
  assert.match(value("/a~1b", "1.00"), />0.99</);
  for (const pointer of ["/bins/2/before", "/bins/0", "/gain.psnr", "/none", "/bins/0/before/x"]) {
    assert.throws(() => value(pointer, "1"), /report\.json#\/.*: results\/set\/report\.json has no number at \//);
  }
});

Deno.test("a list names the rows by what their interval does, and says where there is none", () => {
  const list = (mark: string) =>
    /-->(.*)<!--/.exec(filledPage(`So: <!-- ${mark}: set/margins.psnr -->old<!-- / -->.`, read))?.[1];
  assert.equal(list("methods that hold 0"), "Chen");
  assert.equal(list("methods that are below 0"), "DECA");
  assert.equal(list("methods that are above 0"), "FTIM as printed");
  assert.equal(list("comparators that are above 0"), "none");
  assert.equal(list("losses that hold 0"), "photometric and identity");
});

Deno.test("a mark that no table answers is named, and nothing is filled in", () => {
  const table = (cells: string, row: string) => `<!-- cells: ${cells} -->\n| | A |\n|---|---:|\n${row}\n`;
  const cases: readonly (readonly [string, RegExp])[] = [
    [table("set/absent.psnr", "| FTIM as printed | 1 |"), /set\/absent\.psnr.*There is no results\/set\/absent\.csv/],
    [table("set/table1.absent", "| FTIM as printed | 1 |"), /results\/set\/table1\.csv has no column absent/],
    [table("set/table1.psnr", "| another method | 1 |"), /no row is called "another method"/],
    [table("set/table1.psnr", "| FTIM as printed | |"), /shows no number whose form could be kept/],
    [table("set/table1.psnr | .l1", "| FTIM as printed | 1 |"), /2 sources for 1 column/],
    [table("set/table1 psnr", "| FTIM as printed | 1 |"), /"set\/table1 psnr" is no source/],
    [table(".psnr", "| FTIM as printed | 1 |"), /"\.psnr" names no file/],
    [table("set/table1.l1", "| FTIM as printed | 1 [0, 1] |"), /the row has no l1_low/],
    ["A <!-- value: set/table1[absent].psnr -->1<!-- / -->", /no row "absent"/],
    ["A <!-- value: set/table1.psnr -->1<!-- / -->", /names no row/],
    ["A <!-- losses that hold 0: set/table1.psnr -->1<!-- / -->", /has none of the losses/],
    ["A <!-- value: set/table1[FTIM as printed].psnr -->1", /is not closed/],
    ["A\n  <!-- value: set/table1[FTIM as printed].psnr -->1<!-- / -->", /begins a line/],
    ["<!-- cells: set/table1.psnr -->\n\n| | A |", /stands before no table/],
    ["A <!-- cels: set/table1.psnr -->", /no mark is called/],
  ];
  for (const [page, message] of cases) assert.throws(() => filledPage(page, read), { message }, page);
});

Deno.test("the command fills a page in, and --check changes nothing and fails", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/set`);
    await Deno.writeTextFile(`${folder}/set/table1.csv`, FILES["set/table1.csv"]!);
    const page = `${folder}/page.md`;
    const old = "It is <!-- value: set/table1[FTIM as printed].l1 -->0.99<!-- / -->.\n";
    await Deno.writeTextFile(page, old);
    const checked = await inProcess(addPage, ["page", page, "--results", folder, "--check"]);
    assert.equal(checked.code, 1);
    assert.match(checked.text, /page\.md:1: It is .*0\.04/);
    assert.equal(await Deno.readTextFile(page), old);
    assert.equal((await inProcess(addPage, ["page", page, "--results", folder])).code, 0);
    assert.equal(await Deno.readTextFile(page), old.replace("0.99", "0.04"));
    assert.equal((await inProcess(addPage, ["page", page, "--results", folder, "--check"])).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
