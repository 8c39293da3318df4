/** No line of a module is wider than 120 columns. `deno fmt` keeps code so; comments and strings it cannot break. */
import { assertNone, modules, read } from "./tree.ts";

const COLUMNS = 120;

Deno.test(`no line of a module is wider than ${COLUMNS} columns`, async () => {
  const findings: string[] = [];
  for (const path of await modules()) {
    for (const [i, line] of (await read(path)).split("\n").entries()) {
      const width = [...line].length;
      if (width > COLUMNS) {
        findings.push(`${path}:${i + 1}: ${width} columns. Break the comment, or split the string with "…" + "…".`);
      }
    }
  }
  assertNone(findings, `Lines are wider than ${COLUMNS} columns`);
});
