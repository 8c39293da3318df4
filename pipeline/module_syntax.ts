/** Looking at nodes of a module's syntax tree. */

/** A node of the syntax tree. */
export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number } };
  readonly [field: string]: unknown;
}

export function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

export function argumentsOf({ arguments: list }: Syntax): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

export function nameOf(node: unknown): unknown {
  return isSyntax(node) && node.type === "Identifier" ? node.name : undefined;
}

/** The names that a module imports, beside those of whole modules. */
export function importsOf(body: unknown): readonly { statement: Syntax; imported: string; local: unknown }[] {
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
export function bare(node: unknown): unknown {
  return isSyntax(node) && /^TS(As|Satisfies|NonNull)Expression$/.test(node.type) ? bare(node.expression) : node;
}

/** `module: import.meta.url`. */
export function isModuleHere(property: unknown): boolean {
  return isSyntax(property) && property.type === "ObjectProperty" && property.computed !== true &&
    nameOf(property.key) === "module" && isHere(property.value);
}

/** `import.meta` itself. */
export function isMeta(node: unknown): boolean {
  return isSyntax(node) && node.type === "MetaProperty" && nameOf(node.meta) === "import";
}

/** The x of `import.meta.x`. */
export function propertyOfMeta(node: unknown): string | null {
  return isSyntax(node) && isMeta(node.object) ? propertyOf(node) : null;
}

/** The x of `anything.x`. */
export function propertyOf(node: unknown): string | null {
  if (!isSyntax(node) || node.type !== "MemberExpression" || node.computed === true) return null;
  return String(nameOf(node.property));
}

export function isHere(node: unknown): boolean {
  return propertyOfMeta(node) === "url";
}

/** The text of a string, or of a template without substitutions. */
export function literalOf(node: unknown): string | null {
  if (!isSyntax(node)) return null;
  if (node.type === "StringLiteral") return String(node.value);
  if (node.type !== "TemplateLiteral" || !Array.isArray(node.quasis) || node.quasis.length !== 1) return null;
  return node.quasis[0]?.value?.cooked ?? null;
}

/** Whether a node is a function, or of a function's kind in an object or a class. */
export function isFunction({ type }: Syntax): boolean {
  return /Function|Method$/.test(type) && !type.startsWith("TS");
}

/** Goes through what is evaluated in a tree, not names of properties, nor types; not below where `known` says true. */
export function walk(value: unknown, known: (node: Syntax) => boolean): void {
  if (Array.isArray(value)) value.forEach((part) => walk(part, known));
  if (!isSyntax(value) || isType(value) || known(value)) return;
  const { key, property, computed, ...rest } = value;
  walk([...Object.values(rest), ...computed === true ? [key, property] : []], known);
}

/** Whether a node says something of types alone, or names what goes in or out. */
function isType({ type }: Syntax): boolean {
  return /^TS(?!As|Satisfies|NonNull|Instantiation|Export|Enum|Module|Parameter)|^(Im|Ex)port\w*Specifier$/.test(type);
}
