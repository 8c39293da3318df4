/** A module's syntax tree, as Deno's linter parses it. */

/**
 * Calls a visitor's functions for the nodes of one module.
 *
 * @param visitor by selector, as in a lint plugin: `ImportDeclaration`, `CallExpression[callee.name='f']`
 */
export function visit(path: string, { text, visitor }: { text: string; visitor: Deno.lint.LintVisitor }): void {
  Deno.lint.runPlugin({ name: "house", rules: { visit: { create: () => visitor } } }, path, text);
}

/** The line of a node, from 1. */
export function lineOf({ range }: { readonly range: readonly [number, number] }, text: string): number {
  return text.slice(0, range[0]).split("\n").length;
}

/** Whether two nodes of one module are the same one. The parser hands out a new object each time that it is asked. */
export function same(a: Deno.lint.Node, b: Deno.lint.Node): boolean {
  return a.type === b.type && a.range[0] === b.range[0] && a.range[1] === b.range[1];
}
