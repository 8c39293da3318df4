/**
 * Every module outside of `test/` says first what it is for, in a doc comment, so that documentation and editors show
 * it.
 */
import { assertNone, modules, read } from "./tree.ts";

Deno.test("every module begins with a doc comment", async () => {
  const findings: string[] = [];
  for (const path of await modules()) {
    if (path.startsWith("test/")) continue;
    const text = await read(path);
    if (!/^\/\*\*\s+\S/.test(text)) {
      findings.push(
        `${path}:1: Begin with /** … */ that says what the module is for, and why it is a file of its own.`,
      );
    }
  }
  assertNone(findings, "Modules have no header");
});

Deno.test("only a file named mod.ts has the tag @module", async () => {
  const findings: string[] = [];
  for (const path of await modules()) {
    if (path.endsWith("/mod.ts") || path === "mod.ts") continue;
    for (const [i, line] of (await read(path)).split("\n").entries()) {
      if (/^ \* @module/.test(line)) findings.push(`${path}:${i + 1}: Delete the line; a header needs no tag.`);
    }
  }
  assertNone(findings, "Headers have a tag that they do not need");
});
