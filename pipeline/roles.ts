/**
 * The inputs of a stage by role. A role takes one artifact of a kind; with a trailing "?", one or none; with a trailing
 * "*" ({@link map}), any number of them by name. To the engine such an entry is an input of its own, named "role/name".
 */
import type { Tree } from "./tree.ts";

/** Role → kind, with its trailing "?" or "*". */
export type Roles = Readonly<Record<string, string>>;

/** The kind of a role's artifacts. */
export type KindOf<Text extends string> = Text extends `${infer Kind}?` | `${infer Kind}*` ? Kind : Text;

/** The roles that may be left out. */
export type OptionalRole<I extends Roles> = { [R in keyof I]: I[R] extends `${string}?` ? R : never }[keyof I];

/** The roles that take artifacts by name. */
export type MapRole<I extends Roles> = { [R in keyof I]: I[R] extends `${string}*` ? R : never }[keyof I];

/** What some roles are to a stage's function: a tree each, or trees by name. */
export type Trees<I extends Roles, R extends keyof I> = {
  readonly [Role in R]: Role extends MapRole<I> ? Readonly<Record<string, Tree>>
    : Role extends OptionalRole<I> ? Tree | undefined
    : Tree;
};

/** {@link Trees} of any stage. */
export type AnyTrees = Readonly<Record<string, Tree | Readonly<Record<string, Tree>> | undefined>>;

/** What a role takes. */
export interface Role {
  readonly kind: string;
  readonly takes: "one" | "one or none" | "any number by name";
}

/**
 * A role that takes any number of artifacts of one kind, by name: `inputs: { scores: map("metrics") }` is called with
 * `{ scores: { ours: a, theirs: b } }`. Names consist of letters, digits, "_", "." and "-"; their order does not count,
 * and an entry that is undefined is left out. The stage's function gets the trees in order of their names.
 *
 * @throws {TypeError} on a kind that ends in "?" or "*"
 */
export function map<const Kind extends string>(kind: Kind): `${Kind}*` {
  if (/[?*]$/.test(kind)) throw new TypeError(`"${kind}" cannot be the kind of a map: leave out the "?" or "*"`);
  return `${kind}*`;
}

/** Reads a role's text: the kind, and how many artifacts the last character allows. */
export function parseRole(text: string): Role {
  const takes = text.endsWith("*") ? "any number by name" : text.endsWith("?") ? "one or none" : "one";
  return { kind: takes === "one" ? text : text.slice(0, -1), takes };
}

/** What an entry of a role that takes several is called among a stage's inputs. */
export function entryName(role: string, name: string): string {
  return `${role}/${name}`;
}

/**
 * Puts the entries of map roles together again; of a role without entries too. Records have no prototype, so any name
 * is safe; and they are frozen, because calls of a stage share them.
 */
export function groupTrees(
  trees: Iterable<readonly [input: string, tree: Tree]>,
  roles: Readonly<Record<string, Role>>,
): AnyTrees {
  const grouped: Record<string, Tree | Record<string, Tree>> = Object.create(null);
  const maps = new Map<string, Record<string, Tree>>();
  for (const [role, { takes }] of Object.entries(roles)) {
    if (takes !== "any number by name") continue;
    const entries: Record<string, Tree> = Object.create(null);
    maps.set(role, entries);
    grouped[role] = entries;
  }
  for (const [input, tree] of trees) {
    const slash = input.indexOf("/");
    const entries = maps.get(input.slice(0, Math.max(0, slash)));
    if (entries === undefined) grouped[input] = tree;
    else entries[input.slice(slash + 1)] = tree;
  }
  maps.forEach((entries) => Object.freeze(entries));
  return Object.freeze(grouped);
}
