/**
 * Helpers that define stages for other modules: functions by a name such as `defineTable`. They are told a stage's
 * module, from which they could read anything; they may only hand it on to `defineStage`.
 */
import {
  argumentsOf,
  bare,
  isFunction,
  isSyntax,
  literalOf,
  nameOf,
  propertyOf,
  type Syntax,
  walk,
} from "./module_syntax.ts";

/** `defineStage`, and helpers that give it what they are given. */
export const DEFINING = /^define[A-Z]/;

/** What a helper calls the module that it is told, and what else holds it. */
interface Carriers {
  readonly modules: ReadonlySet<unknown>;
  readonly wholes: ReadonlySet<unknown>;
}

/**
 * Where helpers do more than hand a stage's module on, or cannot be seen to do just that.
 *
 * @param isExempt whether an expression is said to read no code
 */
export function leaksOf(program: Syntax, isExempt: (node: Syntax) => boolean): readonly Syntax[] {
  const found: Syntax[] = [];
  walk(program.body, (node) => {
    if (node.type === "ExportNamedDeclaration" && Array.isArray(node.specifiers)) {
      const renamed = ({ exported, local }: Syntax) =>
        DEFINING.test(String(nameOf(exported) ?? literalOf(exported))) && !DEFINING.test(String(nameOf(local)));
      found.push(...node.specifiers.filter(isSyntax).filter(renamed));
    }
    if (!DEFINING.test(String(nameOf(node.id) ?? nameOf(node.key)))) return false;
    const helper = [node, bare(node.init), bare(node.value)].find((one) => isSyntax(one) && isFunction(one));
    if (isSyntax(helper)) found.push(...leaksIn(helper, isExempt));
    else if (nameOf(node.init) !== undefined && !DEFINING.test(String(nameOf(node.init)))) found.push(node);
    return false;
  });
  return found;
}

function leaksIn(helper: Syntax, isExempt: (node: Syntax) => boolean): readonly Syntax[] {
  const found: Syntax[] = [];
  const carriers = carriersOf(helper);
  const isModule = (node: unknown): boolean => {
    const inner = bare(node);
    if (!isSyntax(inner)) return false;
    return carriers.modules.has(nameOf(inner)) || (propertyOf(inner) === "module" && isWhole(inner.object));
  };
  const isWhole = (node: unknown) => carriers.wholes.has(nameOf(bare(node)));
  const isHandedOn = (property: unknown) =>
    isSyntax(property) &&
    (isWhole(property.argument) || (nameOf(property.key) === "module" && isModule(property.value)));
  const known = (node: Syntax): boolean => {
    if (isExempt(node)) return true;
    const [first, ...more] = argumentsOf(node);
    if (node.type === "CallExpression" && DEFINING.test(String(nameOf(node.callee) ?? propertyOf(node.callee)))) {
      const definition = bare(first);
      const properties = isSyntax(definition) && Array.isArray(definition.properties) ? definition.properties : [first];
      walk([...properties.filter((property) => !isHandedOn(property) && !isWhole(property)), ...more], known);
      return true;
    }
    const leaks = isModule(node) || isWhole(node) || [first, ...more].some((one) => isModule(one) || isWhole(one));
    if (leaks) found.push(node);
    // another property of what it was told
    return leaks || (propertyOf(node) !== null && isWhole(node.object));
  };
  walk([helper.body, ...parametersOf(helper).map(({ right }) => right)], known);
  return found;
}

function parametersOf({ params }: Syntax): readonly Syntax[] {
  return Array.isArray(params) ? params.filter(isSyntax) : [];
}

function carriersOf(helper: Syntax): Carriers {
  const [modules, wholes] = [new Set<unknown>(), new Set<unknown>()];
  function take(parameter: unknown, into: Set<unknown>): void {
    if (!isSyntax(parameter)) return;
    if (parameter.type === "AssignmentPattern") take(parameter.left, into);
    if (parameter.type === "Identifier") into.add(parameter.name);
    if (parameter.type !== "ObjectPattern" || !Array.isArray(parameter.properties)) return;
    const properties = parameter.properties.filter(isSyntax);
    const named = properties.filter(({ key }) => nameOf(key) === "module");
    named.forEach(({ value }) => take(value, modules));
    // what is left over holds the module unless that was taken out
    if (named.length === 0) properties.forEach(({ argument }) => take(argument, wholes));
  }
  // what else a call tells is looked at where it is called
  take(parametersOf(helper)[0], wholes);
  return { modules, wholes };
}
