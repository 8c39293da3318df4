/**
 * What a module loads or reads beside its imports, found in its syntax: addresses relative to `import.meta.url`, and
 * what cannot be told without running it. The parser is loaded only when a module has such an expression.
 */

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
  /** What cannot be followed. */
  readonly unclear: readonly Place[];
  /** It defines a stage in a function, which may be called at any time. */
  readonly definesLater: boolean;
}

/** A node of the syntax tree. */
interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [field: string]: unknown;
}

/** Of a module without any of what this is about. */
export const NOTHING: Reads = { addresses: [], resolved: [], exemptions: [], unclear: [], definesLater: false };
/** What every such expression begins with. */
const BEGINNING = /\bimport\s*(\.|\(|\/[/*])/;
const EQUALITY = /^[!=]==?$/;
/** `defineStage`, and helpers that give it what they are given. */
const DEFINING = /^define[A-Z]/;
/** Longer texts are cut in messages. */
const LONGEST = 60;

/** Reads a module's text; `language` is the media type that Deno gives it, such as "TypeScript". */
export async function readsOf(text: string, { language }: { readonly language: string }): Promise<Reads> {
  if (!BEGINNING.test(text)) return NOTHING;
  const { parse } = await import("@babel/parser");
  const isTyped = !/^(JavaScript|JSX|Mjs|Cjs)$/.test(language);
  const isMarkup = !isTyped || language === "TSX";
  const plugins = [...isTyped ? ["typescript"] as const : [], ...isMarkup ? ["jsx"] as const : []];
  const options = { sourceType: "module", errorRecovery: true } as const;
  let failure: unknown;
  // standard decorators, and those of experimentalDecorators, which may stand before a parameter
  for (const decorators of ["decorators", "decorators-legacy"] as const) {
    try {
      const { program } = parse(text, { ...options, plugins: [...plugins, "decoratorAutoAccessors", decorators] });
      return search(program as unknown as Syntax, text);
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
  const unclear: Place[] = [];
  let definesLater = false;
  /** Functions around what is visited. */
  let depth = 0;
  /** What imported functions are called here. */
  const names = { notCode: new Set<unknown>(), defining: new Set<unknown>() };
  function placeOf({ start, end, loc }: Syntax): Place {
    const whole = text.slice(start, end).replaceAll(/\s+/g, " ");
    return { line: loc.start.line, text: whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole };
  }
  /** Takes the first argument where it is written out; otherwise the whole expression cannot be followed. */
  function take(node: Syntax, list: Reads["addresses"][number][]): true {
    const [first] = argumentsOf(node);
    const address = literalOf(first);
    if (isExempt(first)) return true;
    if (address === null) unclear.push(placeOf(node));
    else list.push({ ...placeOf(node), address });
    return true;
  }
  function visit(value: unknown): void {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isSyntax(value) && !known(value)) {
      const inside = /Function|Method$/.test(value.type) ? 1 : 0;
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
      if (literalOf(node.source) === null && !isExempt(node.source)) unclear.push(placeOf(node));
      visit(node.options);
      return true;
    }
    if (node.type === "CallExpression" && defines(node.callee)) {
      const [first, ...more] = argumentsOf(node);
      const definition = bare(first);
      const properties = isSyntax(definition) && Array.isArray(definition.properties) ? definition.properties : null;
      definesLater ||= depth > 0 && (properties?.some(isModuleHere) ?? false);
      visit([properties?.filter((property) => !isModuleHere(property)) ?? first, ...more]);
      return true;
    }
    if (node.type === "BinaryExpression" && EQUALITY.test(String(node.operator))) {
      visit([node.left, node.right].filter((side) => !isHere(side)));
      return true;
    }
    if (propertyOfMeta(node) === "main") return true;
    if (!isMeta(node) && !isMeta(node.object)) return false;
    unclear.push(placeOf(node));
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
    if (imported !== "notCode") continue;
    names.notCode.add(local);
    const address = literalOf(statement.source);
    if (address !== null) exemptions.push({ ...placeOf(statement), address });
  }
  visit(program.body);
  return { addresses, resolved, exemptions, unclear, definesLater };
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function argumentsOf({ arguments: list }: Syntax): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function nameOf(node: unknown): unknown {
  return isSyntax(node) && node.type === "Identifier" ? node.name : undefined;
}

/** The names that a module imports, beside those of whole modules. */
function importsOf(body: unknown): readonly { statement: Syntax; imported: string; local: unknown }[] {
  const statements = Array.isArray(body) ? body.filter(isSyntax) : [];
  return statements.flatMap((statement) => {
    const specifiers = statement.type === "ImportDeclaration" && Array.isArray(statement.specifiers)
      ? statement.specifiers.filter(isSyntax)
      : [];
    return specifiers.map(({ imported, local }) => {
      return { statement, imported: String(nameOf(imported) ?? literalOf(imported)), local: nameOf(local) };
    });
  });
}

/** An expression without the types that are said of it. */
function bare(node: unknown): unknown {
  return isSyntax(node) && /^TS(As|Satisfies|NonNull)Expression$/.test(node.type) ? bare(node.expression) : node;
}

/** `module: import.meta.url`. */
function isModuleHere(property: unknown): boolean {
  return isSyntax(property) && property.type === "ObjectProperty" && property.computed !== true &&
    nameOf(property.key) === "module" && isHere(property.value);
}

/** `import.meta` itself. */
function isMeta(node: unknown): boolean {
  return isSyntax(node) && node.type === "MetaProperty" && nameOf(node.meta) === "import";
}

/** The x of `import.meta.x`. */
function propertyOfMeta(node: unknown): string | null {
  return isSyntax(node) && isMeta(node.object) ? propertyOf(node) : null;
}

/** The x of `anything.x`. */
function propertyOf(node: unknown): string | null {
  if (!isSyntax(node) || node.type !== "MemberExpression" || node.computed === true) return null;
  return String(nameOf(node.property));
}

function isHere(node: unknown): boolean {
  return propertyOfMeta(node) === "url";
}

/** The text of a string, or of a template without substitutions. */
function literalOf(node: unknown): string | null {
  if (!isSyntax(node)) return null;
  if (node.type === "StringLiteral") return String(node.value);
  if (node.type !== "TemplateLiteral" || !Array.isArray(node.quasis) || node.quasis.length !== 1) return null;
  return node.quasis[0]?.value?.cooked ?? null;
}
