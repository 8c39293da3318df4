/** What a CommonJS module reaches for by its own means: `deno info` follows what is written out behind `require`. */
import { argumentsOf, literalOf, nameOf, propertyOf, type Syntax, walk } from "./module_syntax.ts";

/** What makes a look worth while. */
export const COMMON = /\b(require|__dirname|__filename)\b/;

/** Expressions of a CommonJS module that cannot be followed. */
export function unclearOfCommon(program: Syntax): readonly Syntax[] {
  const found: Syntax[] = [];
  walk(program.body, (node) => {
    if (node.type === "UnaryExpression" && node.operator === "typeof" && COMMON.test(String(nameOf(node.argument)))) {
      return true;
    }
    if (node.type === "CallExpression" && nameOf(node.callee) === "require") {
      if (literalOf(argumentsOf(node)[0]) === null) found.push(node);
      return true;
    }
    const property = propertyOf(node);
    if (property === "main" && nameOf(node.object) === "require") return true;
    const isOwn = node.type === "Identifier" && COMMON.test(String(node.name));
    if (isOwn || (property === "require" && nameOf(node.object) === "module")) found.push(node);
    return isOwn;
  });
  return found;
}
