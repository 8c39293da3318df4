/** Draws the graph: as text, as Mermaid (which GitHub renders) and as SVG without any layout library. */
import type { Artifact } from "./artifact.ts";
import { type Plan, planOf, type Vertex } from "./plan.ts";
import type { StageStatus } from "./status.ts";

/** A stage or source to draw, and what it reads. */
export interface GraphNode {
  readonly id: string;
  readonly label: string;
  readonly kind: "source" | "stage";
  /** Extra line, such as a status. */
  readonly note: string;
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
    return [{ id: names.get(vertex) ?? "", label, kind: node.type, note: notes.get(label) ?? "", inputs: [...reads] }];
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

/** One line a node: its name, and what it reads. */
export function graphText(nodes: readonly GraphNode[]): string {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const width = Math.max(0, ...nodes.map(({ label }) => label.length));
  const lines = nodes.map(({ label, note, inputs }) => {
    const reads = inputs.map((id) => labels.get(id)).join(", ");
    return `${label.padEnd(width)}${note === "" ? "" : `  [${note}]`}${reads === "" ? "" : `  ← ${reads}`}`;
  });
  return `${lines.join("\n")}\n`;
}

/** A Mermaid flow chart, left to right. */
export function graphMermaid(nodes: readonly GraphNode[]): string {
  const lines = nodes.flatMap(({ id, label, kind, note, inputs }) => {
    const text = `"${label.replaceAll('"', "#quot;")}${note === "" ? "" : `<br/>${note}`}"`;
    const shape = kind === "source" ? `[(${text})]` : `[${text}]`;
    return [`  ${id}${shape}`, ...inputs.map((input) => `  ${input} --> ${id}`)];
  });
  return `flowchart LR\n${lines.join("\n")}\n`;
}

const ROW = 46;
const GAP = 48;
const CHARACTER = 7.2;

/** An SVG: columns by depth, rows ordered by what a node reads, so that most edges run level. */
export function graphSvg(nodes: readonly GraphNode[]): string {
  const columns = columnsOf(nodes);
  const places = new Map<string, { x: number; y: number; width: number }>();
  let x = 12;
  for (const column of columns) {
    const width = Math.max(...column.map(({ label, note }) => Math.max(label.length, note.length * 0.85))) * CHARACTER +
      20;
    const middle = column.toSorted((a, b) => centre(a, places) - centre(b, places));
    middle.forEach(({ id }, row) => places.set(id, { x, y: 12 + row * ROW, width }));
    x += width + GAP;
  }
  const height = Math.max(0, ...columns.map((column) => column.length)) * ROW + 12;
  const edges = nodes.flatMap((node) => node.inputs.map((input) => edge(places.get(input), places.get(node.id))));
  const boxes = nodes.map((node) => box(node, places.get(node.id)));
  const style = "text{font:12px ui-monospace,monospace;fill:#222}.n{font-size:10px;fill:#666}" +
    "rect{fill:#fff;stroke:#557;rx:5}.source{fill:#eef;stroke:#99b}path{fill:none;stroke:#99a}";
  const size = `width="${Math.round(x - GAP + 12)}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}><style>${style}</style>\n${
    [...edges, ...boxes].join("\n")
  }\n</svg>\n`;
}

/** Nodes by depth: one more than the deepest that they read. */
function columnsOf(nodes: readonly GraphNode[]): readonly GraphNode[][] {
  const depth = new Map<string, number>();
  const columns: GraphNode[][] = [];
  for (const node of nodes) {
    const level = Math.max(-1, ...node.inputs.map((input) => depth.get(input) ?? 0)) + 1;
    depth.set(node.id, level);
    (columns[level] ??= []).push(node);
  }
  return columns;
}

type Place = { readonly x: number; readonly y: number; readonly width: number };

function centre({ inputs }: GraphNode, places: ReadonlyMap<string, Place>): number {
  if (inputs.length === 0) return 0;
  return inputs.reduce((sum, input) => sum + (places.get(input)?.y ?? 0), 0) / inputs.length;
}

function edge(from: Place | undefined, to: Place | undefined): string {
  if (from === undefined || to === undefined) return "";
  const [x, y, u, v] = [from.x + from.width, from.y + 15, to.x, to.y + 15].map(Math.round);
  const bend = Math.round(GAP / 2);
  return `<path d="M${x},${y} C${(x ?? 0) + bend},${y} ${(u ?? 0) - bend},${v} ${u},${v}"/>`;
}

function box({ label, note, kind }: GraphNode, place: Place | undefined): string {
  if (place === undefined) return "";
  const [x, y, width] = [Math.round(place.x), place.y, Math.round(place.width)];
  const title = `<text x="${x + 10}" y="${y + (note === "" ? 19 : 13)}">${escape(label)}</text>`;
  const under = note === "" ? "" : `<text class="n" x="${x + 10}" y="${y + 26}">${escape(note)}</text>`;
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="31"/>${title}${under}`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
