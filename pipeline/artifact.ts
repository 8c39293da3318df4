/**
 * An artifact is a promise of files: a source on disk, or what a stage will make of other artifacts.
 * Artifacts are lazy values; composing them builds the graph, and only `reproduce` does any work.
 */
import type { Stage } from "./contract.ts";
import { checkPath } from "./path.ts";

/** Files of a certain kind, not necessarily computed yet. The kind is a literal type: a wrong one does not compile. */
export interface Artifact<Kind extends string = string> {
  readonly kind: Kind;
  readonly node: Node;
}

/** A vertex of the graph. */
export type Node = SourceNode | PickNode | StageNode;

/** Files that the user owns; they are hashed where they lie and never copied. */
export interface SourceNode {
  readonly type: "source";
  readonly path: string;
  readonly form: "file" | "folder";
}

/** Some of the files of another node. */
export interface PickNode {
  readonly type: "pick";
  readonly from: Node;
  readonly patterns: readonly string[];
}

/** A stage applied to inputs and (already validated) parameters. */
export interface StageNode {
  readonly type: "stage";
  readonly stage: Stage;
  readonly inputs: Readonly<Record<string, Node>>;
  readonly params: unknown;
}

/** A folder of the user's, walked recursively in name order; names that begin with a dot are left out. */
export function sourceFolder(path: string): Artifact<"folder"> {
  return { kind: "folder", node: { type: "source", path, form: "folder" } };
}

/** One file of the user's; its tree holds one path, the file's base name. */
export function sourceFile(path: string): Artifact<"file"> {
  return { kind: "file", node: { type: "source", path, form: "file" } };
}

/**
 * Just some files of an artifact, so that a consumer depends on those bytes alone. Patterns are exact paths, or
 * prefixes that end in "/". A pattern that matches nothing is an error when the graph is resolved; one that no path can
 * match ("../a", "/a") is an error at once.
 */
export function pick<Kind extends string>(artifact: Artifact<Kind>, patterns: readonly string[]): Artifact<Kind> {
  for (const pattern of patterns) checkPath(pattern.replace(/\/$/, ""), "pick: the pattern");
  return { kind: artifact.kind, node: { type: "pick", from: artifact.node, patterns: [...patterns].sort() } };
}

/** The same files under another kind; for the rare case where a kind says too little. */
export function cast<Kind extends string>(artifact: Artifact, kind: Kind): Artifact<Kind> {
  return { kind, node: artifact.node };
}

/** The nodes that a node reads directly. */
export function dependencies(node: Node): readonly Node[] {
  if (node.type === "source") return [];
  return node.type === "pick" ? [node.from] : Object.values(node.inputs);
}

/** All nodes below some targets, each after everything that it depends on. Errors on a cycle. */
export function topological(targets: readonly Node[]): readonly Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = targets.toReversed().map((node) => ({ node, leave: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, leave } = top;
    if (leave) {
      state.set(node, "done");
      order.push(node);
      continue;
    }
    if (state.has(node)) continue;
    state.set(node, "open");
    stack.push({ node, leave: true });
    for (const input of dependencies(node).toReversed()) {
      if (state.get(input) === "open") throw new Error(`the graph has a cycle through ${describe(input)}`);
      if (!state.has(input)) stack.push({ node: input, leave: false });
    }
  }
  return order;
}

/** A short name for messages. */
function describe(node: Node): string {
  if (node.type === "source") return node.path;
  return node.type === "pick" ? `${describe(node.from)} (part)` : `stage "${node.stage.name}"`;
}
