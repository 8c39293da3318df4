/**
 * Nothing is exported that no other module imports, and nothing of the product is there for tests alone. What a module uses
 * itself may be exported for its test; a type may be exported that other exports of its module mention.
 */
import { type ModuleNames, namesOf } from "./names.ts";
import { allImports, assertNone, modules, read } from "./tree.ts";

const parsed = new Map<string, ModuleNames>();
for (const path of await modules()) parsed.set(path, namesOf(path, await read(path)));
const targets = new Map((await allImports()).map(({ from, specifier, to }) => [`${from} ${specifier}`, to]));

Deno.test("every export of the product is imported by a module that is no test", async () => {
  const inPublic = await publicModules();
  const users = new Map<string, { product: boolean; test: boolean }>();
  for (const [path, { imports }] of parsed) {
    for (const { specifier, name } of imports) {
      const to = targets.get(`${path} ${specifier}`);
      if (to === undefined) continue;
      const names = name === "*" ? [...parsed.get(to)?.exports.keys() ?? []] : [name];
      for (const one of names) {
        const user = users.get(`${to} ${one}`) ?? { product: false, test: false };
        user[path.startsWith("test/") ? "test" : "product"] = true;
        users.set(`${to} ${one}`, user);
      }
    }
  }
  const findings: string[] = [];
  for (const [path, { exports, mentioned }] of parsed) {
    if (/^(test|examples|bench)\//.test(path) || inPublic.has(path) || isReference(path)) continue;
    for (const [name, { line, type }] of exports) {
      const user = users.get(`${path} ${name}`);
      if (user?.product || mentioned.has(name) && (type || user?.test)) continue;
      findings.push(
        user?.test
          ? `${path}:${line}: only tests import ${name}. Move it into test/, or delete it with its test.`
          : `${path}:${line}: nobody imports ${name}. Delete ${mentioned.has(name) ? "the word export" : "it"}.`,
      );
    }
  }
  assertNone(findings, "Exports are dead");
});

/** A kernel's plain loops beside it, `x_cpu.ts` beside `x.ts`: what a reader compares it with, and a test too. */
function isReference(path: string): boolean {
  return path.endsWith("_cpu.ts") && parsed.has(path.replace(/_cpu\.ts$/, ".ts"));
}

/** The modules that people outside import: those that a package exports, and mod.ts. */
async function publicModules(): Promise<Set<string>> {
  const found = new Set(["mod.ts"]);
  for (const folder of ["gpu", "pipeline"]) {
    const { exports } = JSON.parse(await read(`${folder}/deno.json`));
    for (const path of typeof exports === "string" ? [exports] : Object.values<string>(exports)) {
      found.add(`${folder}/${path.replace(/^\.\//, "")}`);
    }
  }
  return found;
}
