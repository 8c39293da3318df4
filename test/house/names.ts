/** Which names a module exports, and which it takes of the modules that it imports. */
import { lineOf, same, visit } from "./syntax.ts";

/** A module's names, in its exports and imports. */
export interface ModuleNames {
  /** Exported name → line, and whether it is a type. */
  readonly exports: Map<string, { line: number; type: boolean }>;
  /** What is imported: as written, and the names; `*` for all. */
  readonly imports: { specifier: string; name: string }[];
  /** Exported names that the module itself uses. */
  readonly mentioned: Set<string>;
}

/** Reads the names that a module exports and those that it takes of each module that it imports. */
export function namesOf(path: string, text: string): ModuleNames {
  const exports: ModuleNames["exports"] = new Map();
  const imports: ModuleNames["imports"] = [];
  const mentioned: ModuleNames["mentioned"] = new Set();
  const namespaces = new Map<string, string>();
  const add = (name: string, node: Deno.lint.Node, type: boolean) =>
    exports.set(name, { line: lineOf(node, text), type });
  const use = (specifier: string, names: readonly string[]) =>
    imports.push(...names.map((name) => ({ specifier, name })));
  visit(path, {
    text,
    visitor: {
      ImportDeclaration({ source, specifiers }) {
        for (const one of specifiers) {
          if (one.type === "ImportNamespaceSpecifier") namespaces.set(one.local.name, source.value);
          else use(source.value, [one.type === "ImportSpecifier" ? nameOf(one.imported) : "default"]);
        }
      },
      ImportExpression(node) {
        if (node.source.type !== "Literal") return;
        const names = namesOfDynamicImport(node);
        if (typeof names === "string") namespaces.set(names, String(node.source.value));
        else use(String(node.source.value), names);
      },
      TSImportType({ argument, qualifier }) {
        const specifier = argument.type === "TSLiteralType" && argument.literal.type === "Literal"
          ? String(argument.literal.value)
          : "";
        use(specifier, [qualifier === null ? "*" : firstName(qualifier)]);
      },
      ExportAllDeclaration({ source }) {
        use(source.value, ["*"]);
      },
      ExportNamedDeclaration({ source, specifiers, declaration }) {
        for (const { local, exported } of specifiers) {
          if (source !== null) use(source.value, [nameOf(local)]);
          add(nameOf(exported), exported, false);
        }
        if (declaration === null) return;
        if (declaration.type === "VariableDeclaration") {
          for (const { id } of declaration.declarations) for (const name of boundNames(id)) add(name, id, false);
        } else if ("id" in declaration && declaration.id?.type === "Identifier") {
          add(declaration.id.name, declaration, /^TS(Interface|TypeAlias)/.test(declaration.type));
        }
      },
      ExportDefaultDeclaration(node) {
        add("default", node, false);
      },
    },
  });
  visit(path, {
    text,
    visitor: {
      Identifier(node) {
        if (exports.has(node.name) && !isDeclared(node)) mentioned.add(node.name);
        const specifier = namespaces.get(node.name);
        if (specifier === undefined) return;
        const { parent } = node;
        if (parent.type === "MemberExpression" && same(parent.object, node) && parent.property.type === "Identifier") {
          use(specifier, [parent.property.name]);
        } else if (parent.type === "TSQualifiedName" && same(parent.left, node)) use(specifier, [parent.right.name]);
        else if (!/^(Import|VariableDeclarator)/.test(parent.type)) use(specifier, ["*"]);
      },
    },
  });
  return { exports, imports, mentioned };
}

/** The names that are taken of `import(…)`, `*` for all, or the variable that holds the module. */
function namesOfDynamicImport(node: Deno.lint.ImportExpression): string[] | string {
  const { parent } = node;
  if (parent.type === "MemberExpression" && parent.parent.type === "CallExpression") {
    const [then] = parent.parent.arguments;
    return then?.type === "ArrowFunctionExpression" && then.params[0] ? boundKeys(then.params[0]) : ["*"];
  }
  if (parent.type !== "AwaitExpression") return ["*"];
  const around = parent.parent;
  if (around.type === "VariableDeclarator") {
    return around.id.type === "Identifier" ? around.id.name : boundKeys(around.id);
  }
  if (around.type === "MemberExpression" && around.property.type === "Identifier") return [around.property.name];
  return around.type === "ExpressionStatement" ? [] : ["*"];
}

/** The names that a pattern such as `{ a, b: c }` declares: a and c. */
function boundNames(pattern: Deno.lint.Node): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((one) => boundNames(one.type === "Property" ? one.value : one.argument));
    case "ArrayPattern":
      return pattern.elements.flatMap((one) => one === null ? [] : boundNames(one));
    case "AssignmentPattern":
      return boundNames(pattern.left);
    case "RestElement":
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/** The properties that a pattern such as `{ a, b: c }` reads: a and b; `*` if it cannot be told. */
function boundKeys(pattern: Deno.lint.Node | Deno.lint.Parameter): string[] {
  if (pattern.type !== "ObjectPattern") return ["*"];
  return pattern.properties.map((one) => one.type === "Property" && one.key.type === "Identifier" ? one.key.name : "*");
}

function nameOf(node: Deno.lint.Identifier | Deno.lint.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

/** `A` of `A.B.C`. */
function firstName(node: Deno.lint.Node): string {
  if (node.type === "TSQualifiedName") return firstName(node.left);
  return node.type === "Identifier" ? node.name : "*";
}

/** Whether an identifier is where a name is declared or a property is named, rather than where a name is used. */
function isDeclared(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (/^(Export|Import)/.test(parent.type) || ("id" in parent && parent.id && same(parent.id, node))) return true;
  if (parent.type === "MemberExpression") return same(parent.property, node) && !parent.computed;
  return parent.type === "Property" && same(parent.key, node) && !same(parent.value, node) && !parent.computed;
}
