/**
 * Deno warns of each package that would run a script when it is installed, in the first lines that a new user sees.
 * None of ours needs its script: `allowScripts` in `deno.json` says so, by name.
 */
import { assertNone, read } from "./tree.ts";

Deno.test("every package with an install script is denied it in deno.json", async () => {
  const { npm } = JSON.parse(await read("deno.lock")) as { npm: Record<string, { scripts?: boolean }> };
  const { allowScripts } = JSON.parse(await read("deno.json")) as { allowScripts: { deny: string[] } };
  const named = Object.entries(npm).flatMap(([id, { scripts }]) => {
    return scripts === true ? [`npm:${id.replace(/(?<=.)@.*$/, "")}`] : [];
  });
  const findings = named.filter((name) => !allowScripts.deny.includes(name))
    .map((name) => `deno.json:1: "allowScripts" does not name ${name}. Add it, if it works without its script.`);
  assertNone(findings, "Deno will warn on the first run");
});
