/**
 * What a module loads or reads beside its imports, found in its syntax: addresses relative to `import.meta.url`, and
 * what cannot be told without running it. The parser is loaded only when a module has such an expression.
 */
import { COMMON, unclearOfCommon } from "./module_common.ts";
import { DEFINING, leaksOf } from "./module_helpers.ts";
import {
  argumentsOf,
  bare,
  importsOf,
  isFunction,
  isHere,
  isMeta,
  isModuleHere,
  isSyntax,
  literalOf,
  nameOf,
  propertyOf,
  propertyOfMeta,
  type Syntax,
} from "./module_syntax.ts";

/** An expression, with the line where it begins. */
export interface Place {
  readonly line: number;
  readonly text: string;
}

/** What one module reaches for, as it is written there. */
export interface Reads {
  /** What is joined to `import.meta.url`. */
  readonly addresses: readonly (Place & { readonly address: string })[];
  /** What is given to `import.meta.resolve`. */
  readonly resolved: readonly (Place & { readonly address: string })[];
  /** From where it imports a function by the name of `notCode`, which exempts only if it is the engine's. */
  readonly exemptions: readonly (Place & { readonly address: string })[];
  /** From where it imports what it tells its own address as a stage's module. */
  readonly helpers: readonly (Place & { readonly address: string })[];
  /** What cannot be followed. */
  readonly unclear: readonly Place[];
  /** Where its own helpers may read by a stage's module, which they are told. */
  readonly leaks: readonly Place[];
  /** It defines a stage in a function, which may be called at any time. */
  readonly definesLater: boolean;
}

/** Of a module without any of what this is about. */
export const NOTHING: Reads = {
  addresses: [],
  resolved: [],
  exemptions: [],
  helpers: [],
  unclear: [],
  leaks: [],
  definesLater: false,
};
/** What every such expression begins with, or a helper's name, which is told such an expression elsewhere. */
const BEGINNING = /\bimport\s*(\.|\(|\/[/*])|\bdefine[A-Z]/;
const EQUALITY = /^[!=]==?$/;
/** Longer texts are cut in messages. */
const LONGEST = 60;

/** Reads a module's text; `language` is the media type that Deno gives it, such as "TypeScript". */
export async function readsOf(text: string, { language }: { readonly language: string }): Promise<Reads> {
  const mayBeCommon = /^(JavaScript|Cjs|Cts)$/i.test(language);
  if (!BEGINNING.test(text) && !(mayBeCommon && COMMON.test(text))) return NOTHING;
  const { parse } = await import("@babel/parser");
  const isTyped = !/^(JavaScript|JSX|Mjs|Cjs)$/i.test(language);
  const isMarkup = !isTyped || language === "TSX";
  const plugins = [...isTyped ? ["typescript"] as const : [], ...isMarkup ? ["jsx"] as const : []];
  const sourceType = language === "JavaScript" ? "unambiguous" : mayBeCommon ? "commonjs" : "module";
  const options = { sourceType, errorRecovery: true } as const;
  let failure: unknown;
  // standard decorators, and those of experimentalDecorators, which may stand before a parameter
  for (const decorators of ["decorators", "decorators-legacy"] as const) {
    try {
      const { program } = parse(text, { ...options, plugins: [...plugins, "decoratorAutoAccessors", decorators] });
      const found = search(program as unknown as Syntax, text);
      if (!mayBeCommon || program.sourceType === "module") return found;
      const unclear = unclearOfCommon(program as unknown as Syntax).map((node) => placeOf(node, text));
      return { ...found, unclear: [...found.unclear, ...unclear] };
    } catch (error) {
      failure ??= error;
    }
  }
  return { ...NOTHING, unclear: [{ line: 1, text: `a syntax error (${failure})` }] };
}

function search(program: Syntax, text: string): Reads {
  const addresses: Reads["addresses"][number][] = [];
  const resolved: Reads["resolved"][number][] = [];
  const exemptions: Reads["exemptions"][number][] = [];
  const helpers: Reads["helpers"][number][] = [];
  const unclear: Place[] = [];
  let definesLater = false;
  /** Functions around what is visited. */
  let depth = 0;
  /** What imported functions are called here. */
  const names = { notCode: new Set<unknown>(), defining: new Set<unknown>() };
  /** From where imported names come. */
  const sources = new Map<unknown, string>();
  /** Takes the first argument where it is written out; otherwise the whole expression cannot be followed. */
  function take(node: Syntax, list: Reads["addresses"][number][]): true {
    const [first] = argumentsOf(node);
    const address = literalOf(first);
    if (isExempt(first)) return true;
    if (address === null) unclear.push(placeOf(node, text));
    else list.push({ ...placeOf(node, text), address });
    return true;
  }
  function visit(value: unknown): void {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isSyntax(value) && !known(value)) {
      const inside = isFunction(value) ? 1 : 0;
      depth += inside;
      Object.values(value).forEach(visit);
      depth -= inside;
    }
  }
  /** Deals with an expression of which it is clear what it means. */
  function known(node: Syntax): boolean {
    if (isExempt(node)) return true;
    if (node.type === "CallExpression" && propertyOfMeta(node.callee) === "resolve") return take(node, resolved);
    if (node.type === "NewExpression") {
      const [first, second, ...more] = argumentsOf(node);
      if (nameOf(node.callee) === "URL" && isHere(second)) return take(node, addresses);
      if (nameOf(node.callee) !== "Worker" || !isHere(first)) return false;
      visit([second, ...more]);
      return true;
    }
    if (node.type === "ImportExpression") {
      // deno info follows those that are written out
      if (literalOf(node.source) === null && !isExempt(node.source)) unclear.push(placeOf(node, text));
      visit(node.options);
      return true;
    }
    if (node.type === "CallExpression" && defines(node.callee)) {
      const [first, ...more] = argumentsOf(node);
      const definition = bare(first);
      const properties = isSyntax(definition) && Array.isArray(definition.properties) ? definition.properties : null;
      if (properties?.some(isModuleHere)) {
        definesLater ||= depth > 0;
        const address = sources.get(nameOf(node.callee) ?? (isSyntax(node.callee) ? nameOf(node.callee.object) : null));
        if (address !== undefined) helpers.push({ ...placeOf(node, text), address });
      }
      visit([properties?.filter((property) => !isModuleHere(property)) ?? first, ...more]);
      return true;
    }
    if (node.type === "BinaryExpression" && EQUALITY.test(String(node.operator))) {
      visit([node.left, node.right].filter((side) => !isHere(side)));
      return true;
    }
    if (propertyOfMeta(node) === "main") return true;
    if (!isMeta(node) && !isMeta(node.object)) return false;
    unclear.push(placeOf(node, text));
    return true;
  }
  /** Whether a call defines a stage, or may do so in another module that gets its options. */
  const defines = (callee: unknown) =>
    names.defining.has(nameOf(callee)) || DEFINING.test(String(nameOf(callee) ?? propertyOf(callee)));
  /** `notCode(…)`. */
  const isExempt = (node: unknown) =>
    isSyntax(node) && node.type === "CallExpression" && names.notCode.has(nameOf(node.callee));
  for (const { statement, imported, local } of importsOf(program.body)) {
    if (DEFINING.test(imported)) names.defining.add(local);
    const address = literalOf(statement.source);
    if (address !== null) sources.set(local, address);
    if (imported !== "notCode") continue;
    names.notCode.add(local);
    if (address !== null) exemptions.push({ ...placeOf(statement, text), address });
  }
  visit(program.body);
  const leaks = leaksOf(program, isExempt).map((node) => placeOf(node, text));
  return { addresses, resolved, exemptions, helpers, unclear, leaks, definesLater };
}

function placeOf({ start, end, loc }: Syntax, text: string): Place {
  const whole = text.slice(start, end).replaceAll(/\s+/g, " ");
  return { line: loc.start.line, text: whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole };
}
