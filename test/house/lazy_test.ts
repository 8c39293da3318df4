/**
 * A command that only looks at the graph, such as `status`, loads every stage: so a stage imports what works
 * (TensorFlow.js, sharp, ONNX Runtime, …) inside `run` or `open`, and at its top, itself and by way of others, no
 * package but these.
 */
import { allImports, assertNone } from "./tree.ts";

/** What describes a stage, and what the engine makes its keys with. */
const AT_ONCE = /^npm:\/?(zod|canonicalize)@/;

Deno.test("a stage loads no package before it runs but zod and the engine's own", async () => {
  const bySource = Map.groupBy((await allImports()).filter(({ kind }) => kind === "static"), ({ from }) => from);
  const stages = [...bySource.keys()].filter((path) => /^stages\/(?!faces\/)\w+\/\w+\.ts$/.test(path));
  const findings = stages.flatMap((stage) => {
    const loaded = new Set([stage]);
    for (const file of loaded) for (const { to } of bySource.get(file) ?? []) loaded.add(to);
    const importers = [...loaded].flatMap((file) => bySource.get(file) ?? []);
    return importers.filter(({ to }) => to.startsWith("npm:") && !AT_ONCE.test(to)).map(({ from, line, to }) =>
      `${from}:${line}: ${stage} loads ${to}. Import it by type at the top and by value where it is used.`
    );
  });
  assertNone(findings, "A stage loads a package before it runs");
});
