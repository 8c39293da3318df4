/** Turns artifacts into a graph of distinct vertices: equal calls become one, names are checked, order is fixed. */
import { type Artifact, dependencies, type Node, topological } from "./artifact.ts";
import { PipelineError } from "./errors.ts";
import { canonical, sha256 } from "./hash.ts";
import type { Stage } from "./contract.ts";

/** A vertex: equal nodes (same stage, parameters and inputs) share one. */
export interface Vertex {
  readonly id: string;
  /** Stage name, with a number where the stage is applied several times; a source's path. */
  readonly label: string;
  readonly node: Node;
  /** By role; a pick has the one role "from". */
  readonly inputs: Readonly<Record<string, Vertex>>;
}

/** The graph below some targets. */
export interface Plan {
  /** Each after all that it depends on. */
  readonly vertices: readonly Vertex[];
  readonly targets: ReadonlyMap<string, Vertex>;
}

/** Builds the graph. Errors on a cycle and on two different stages with one name. */
export function planOf(targets: Readonly<Record<string, Artifact>>): Plan {
  const byId = new Map<string, Vertex>();
  const byNode = new Map<Node, Vertex>();
  const stages = new Map<string, Stage>();
  const labels = new Set<string>();
  const uses = new Map<string, number>();

  function inputsOf(node: Node): Record<string, Vertex> {
    const entries = node.type === "stage"
      ? Object.entries(node.inputs)
      : dependencies(node).map((from) => ["from", from]);
    return Object.fromEntries((entries as [string, Node][]).map(([role, input]) => [role, known(byNode, input)]));
  }
  function label(node: Node): string {
    if (node.type === "source") return node.path;
    if (node.type === "pick") return `part of ${known(byNode, node.from).label}`;
    const { name } = node.stage;
    if ((stages.get(name) ?? node.stage) !== node.stage) {
      throw new PipelineError(`two different stages are named "${name}"; give one of them another name`);
    }
    stages.set(name, node.stage);
    let count = uses.get(name) ?? 0;
    let text: string;
    // another stage may be named "fit-2"
    do text = ++count === 1 ? name : `${name}-${count}`; while (labels.has(text));
    labels.add(text);
    uses.set(name, count);
    return text;
  }
  for (const node of topological(Object.values(targets).map((target) => target.node))) {
    const inputs = inputsOf(node);
    const id = identity(node, inputs);
    const vertex = byId.get(id) ?? { id, label: label(node), node, inputs };
    byId.set(id, vertex);
    byNode.set(node, vertex);
  }
  const named = Object.entries(targets).map(([name, { node }]) => [name, known(byNode, node)] as const);
  return { vertices: [...byId.values()], targets: new Map(named) };
}

function known(byNode: ReadonlyMap<Node, Vertex>, node: Node): Vertex {
  const vertex = byNode.get(node);
  if (vertex === undefined) throw new PipelineError("unreachable: a node came before its input");
  return vertex;
}

/** Two stages of one name but of different definitions must not fall together, so that they can be reported. */
const definitions = new WeakMap<Stage, number>();
let definitionCount = 0;

function identity(node: Node, inputs: Readonly<Record<string, Vertex>>): string {
  const ids = Object.fromEntries(Object.entries(inputs).map(([role, { id }]) => [role, id]));
  if (node.type === "source") return sha256(canonical([node.type, node.form, node.path]));
  if (node.type === "pick") return sha256(canonical([node.type, ids, node.patterns]));
  const definition = definitions.get(node.stage) ?? ++definitionCount;
  definitions.set(node.stage, definition);
  return sha256(canonical([node.type, node.stage.name, definition, node.params, ids]));
}
