/**
 * A stage can be told from its helpers at a glance: it lies directly in its chapter under its own name, and what it
 * shares with others lies in `parts/`, or in `stages/faces/` where it reads faces.
 */
import { lineOf, visit } from "./syntax.ts";
import { assertNone, modules, read } from "./tree.ts";

/** Files that are named after what they give rather than after the stage that makes it. */
const NAMED_AFTER_RESULT: Readonly<Record<string, string>> = {
  "stages/data/chosen_photographs.ts": "choose_photographs",
  "stages/geometry/first_guess.ts": "guess",
  "stages/training/trained.ts": "pack",
};

const stages = await Promise.all(
  (await modules()).filter((path) => path.startsWith("stages/")).map(async (path) => ({
    path,
    defined: definedStages(path, await read(path)),
  })),
);

Deno.test("a file directly in a chapter defines a stage, and no other file does", () => {
  const findings = stages.flatMap(({ path, defined }) => {
    const helper = path.startsWith("stages/faces/") || path.split("/").length > 3;
    if (helper) {
      return defined.map(({ name, line }) =>
        `${path}:${line}: defines the stage "${name}". Move the stage into its chapter's folder.`
      );
    }
    return defined.length > 0
      ? []
      : [`${path}:1: defines no stage. Move it into ${path.replace(/[^/]*$/, "parts/")}, or into stages/faces/.`];
  });
  assertNone(findings, "A stage and its helpers are mixed");
});

Deno.test("a stage's file has the stage's name", () => {
  const findings = stages.flatMap(({ path, defined }) => {
    const file = path.split("/").at(-1)!.replace(/\.ts$/, "");
    const expected = NAMED_AFTER_RESULT[path] ?? file;
    if (defined.length === 0 || defined.some(({ name }) => name === expected)) return [];
    const names = defined.map(({ name }) => `"${name}"`).join(" and ");
    return [`${path}:${defined[0]!.line}: defines ${names}. Rename the file or the stage so that they agree.`];
  });
  assertNone(findings, "A stage's file is named otherwise");
});

Deno.test("no two stages have one name", () => {
  const named = stages.flatMap(({ path, defined }) =>
    defined.map(({ name, line }) => ({ name, place: `${path}:${line}` }))
  );
  const findings = [...Map.groupBy(named, ({ name }) => name)].flatMap(([name, all]) =>
    all.length === 1 ? [] : [`${all.map(({ place }) => place).join(" and ")}: both are "${name}". Rename one of them.`]
  );
  assertNone(findings, "Two stages have one name");
});

/** The stages that a module defines: their names, and the lines of the names. */
function definedStages(path: string, text: string): { name: string; line: number }[] {
  const found: { name: string; line: number }[] = [];
  visit(path, {
    text,
    visitor: {
      "CallExpression[callee.name='defineStage']"(node: Deno.lint.CallExpression) {
        const [options] = node.arguments;
        const properties = options?.type === "ObjectExpression" ? options.properties : [];
        const named = properties.find((property) =>
          property.type === "Property" && property.key.type === "Identifier" && property.key.name === "name"
        );
        const value = named?.type === "Property" ? named.value : undefined;
        found.push({
          name: value?.type === "Literal" ? String(value.value) : "a name that is computed",
          line: lineOf(node, text),
        });
      },
    },
  });
  return found;
}
