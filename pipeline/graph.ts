/** The graph as text and as Mermaid, which GitHub renders; graph_svg.ts draws it. */
import type { Artifact } from "./artifact.ts";
import type { Computes } from "./contract.ts";
import { type Plan, planOf, type Vertex } from "./plan.ts";
import type { StageStatus } from "./status.ts";

/** A stage or source to draw, and what it reads. */
export interface GraphNode {
  readonly id: string;
  readonly label: string;
  readonly kind: "source" | "stage";
  /** Extra line, such as a status. */
  readonly note: string;
  /** Where it computes, as the stage says. */
  readonly computes: Computes;
  /** Ids of what it reads. */
  readonly inputs: readonly string[];
}

/** The graph below some targets, each node after what it reads. Picks are drawn as what they pick from. */
export function graphOf(
  targets: Readonly<Record<string, Artifact>>,
  status: readonly StageStatus[] = [],
): readonly GraphNode[] {
  const plan: Plan = planOf(targets);
  const through = (vertex: Vertex): Vertex => vertex.node.type === "pick" ? through(first(vertex)) : vertex;
  const names = new Map(plan.vertices.map((vertex, index) => [vertex, `n${index}`]));
  const notes = new Map(status.map(({ label, state, items, todo }) => [label, noteOf(state, items, todo)]));
  return plan.vertices.flatMap((vertex) => {
    const { node, label, inputs } = vertex;
    if (node.type === "pick") return [];
    const reads = new Set(Object.values(inputs).map((input) => names.get(through(input)) ?? ""));
    const computes = node.type === "stage" ? node.stage.computes : {};
    const id = names.get(vertex) ?? "";
    return [{ id, label, kind: node.type, note: notes.get(label) ?? "", computes, inputs: [...reads] }];
  });
}

function first({ inputs }: Vertex): Vertex {
  const [vertex] = Object.values(inputs);
  if (vertex === undefined) throw new Error("unreachable: a pick without an input");
  return vertex;
}

function noteOf(state: string, items: number | null, todo: number | null): string {
  return items !== null && items > 1 ? `${state}, ${state === "fresh" ? items : `${todo} of ${items}`} items` : state;
}

/** One line a node: its name, where it computes, and what it reads. */
export function graphText(nodes: readonly GraphNode[]): string {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const width = Math.max(0, ...nodes.map(({ label }) => label.length));
  const lines = nodes.map(({ label, note, computes, inputs }) => {
    const reads = ranges(inputs.map((id) => labels.get(id) ?? "")).join(", ");
    const where = Object.entries(computes).map(([backend, what]) => `${backend}: ${what}`).join(" | ");
    const parts = [
      label.padEnd(width),
      ...(note === "" ? [] : [`[${note}]`]),
      ...(where === "" ? [] : [`{ ${where} }`]),
      ...(reads === "" ? [] : [`← ${reads}`]),
    ];
    return parts.join("  ");
  });
  return `${lines.join("\n")}\n`;
}

/** Labels with each run of three or more applications of a stage as one: "fit … fit-30". */
function ranges(labels: readonly string[]): readonly string[] {
  const runs: { stage: string; first: string; last: string; number: number; length: number }[] = [];
  for (const label of labels) {
    const [, stage = label, digits = "1"] = /^(.+)-(\d+)$/.exec(label) ?? [];
    const run = runs.at(-1);
    const number = Number(digits);
    if (run?.stage === stage && run.number + 1 === number) {
      [run.last, run.number] = [label, number];
      run.length++;
    } else runs.push({ stage, first: label, last: label, number, length: 1 });
  }
  return runs.map(({ first, last, length }) => length === 1 ? first : `${first}${length === 2 ? ", " : " … "}${last}`);
}

/** A Mermaid flow chart, left to right. */
export function graphMermaid(nodes: readonly GraphNode[]): string {
  const lines = nodes.flatMap(({ id, label, kind, note, computes, inputs }) => {
    const rows = [label.replaceAll('"', "#quot;"), note, Object.keys(computes).join(", ")].filter((row) => row !== "");
    const text = `"${rows.join("<br/>")}"`;
    const shape = kind === "source" ? `[(${text})]` : `[${text}]`;
    return [`  ${id}${shape}`, ...inputs.map((input) => `  ${input} --> ${id}`)];
  });
  return `flowchart LR\n${lines.join("\n")}\n`;
}
