import assert from "node:assert/strict";
import {
  crateOf,
  defineStage,
  graphMermaid,
  type GraphNode,
  graphOf,
  graphSvg,
  graphText,
  listRuns,
  pick,
  reproduce,
  sourceFolder,
  statusOf,
} from "../../pipeline/mod.ts";
import { openLab, textStages } from "./lab.ts";

Deno.test("the graph as text, Mermaid and SVG, with picks drawn through and states as notes", async () => {
  using lab = openLab();
  lab.put({ "a.txt": "a", "b.txt": "b" });
  const { upper, total } = textStages();
  const texts = upper({ texts: sourceFolder(lab.source) });
  const target = { total: total({ texts: pick(texts, ["a.up.txt"]) }) };
  await reproduce({ texts }, lab.options());
  const nodes = graphOf(target, await statusOf(target, lab.options()));
  assert.deepEqual(nodes.map(({ label, note }) => [label, note]), [
    [lab.source, ""],
    ["upper", "fresh, 2 items"],
    ["total", "stale"],
  ]);
  const width = lab.source.length;
  assert.equal(
    graphText(nodes),
    `${lab.source}\n${"upper".padEnd(width)}  [fresh, 2 items]  ← ${lab.source}\n${
      "total".padEnd(width)
    }  [stale]  ← upper\n`,
  );
  assert.equal(
    graphMermaid(nodes),
    `flowchart LR\n  n0[("${lab.source}")]\n  n1["upper<br/>fresh, 2 items"]\n  n0 --> n1\n` +
      '  n3["total<br/>stale"]\n  n1 --> n3\n',
  );
  const svg = graphSvg(nodes);
  assert.equal(svg.match(/<rect/g)?.length, 3);
  assert.equal(svg.match(/<path/g)?.length, 2);
  assert.equal(graphSvg(nodes), svg);
});

Deno.test("where a stage computes is in the graph, the run's record and the crate", async () => {
  using lab = openLab();
  const stage = (computes: Record<string, string>) =>
    defineStage({
      name: "lit",
      module: import.meta.url,
      inputs: {},
      output: "out",
      determinism: "bitwise",
      computes,
      run: ({ out }) => out.write("a.txt", "a"),
    });
  const lit = stage({ webgpu: "shading", cpu: "names: bookkeeping" });
  const nodes = graphOf({ lit: lit({}) });
  assert.equal(graphText(nodes), "lit  { webgpu: shading | cpu: names: bookkeeping }\n");
  assert.match(graphMermaid(nodes), /"lit<br\/>webgpu, cpu"/);
  await reproduce({ lit: lit({}) }, lab.options());
  const [run] = listRuns({ store: `${lab.root}/store` });
  assert.deepEqual(run?.computes, { lit: { webgpu: "shading", cpu: "names: bookkeeping" } });
  const about = { name: "Test", description: "A test.", license: "MIT", workflow: "main.ts" };
  const crate = await crateOf({ ...about, store: `${lab.root}/store` });
  const tool = crate["@graph"].find(({ name, identifier }) => name === "lit" && identifier !== undefined);
  assert.deepEqual(tool?.processorRequirements, ["webgpu: shading", "cpu: names: bookkeeping"]);
  assert.throws(() => stage({ webgpu: "" }), /stage "lit": computes takes a backend's name and what runs there/);
});

Deno.test("in the drawing no box lies over another, and no edge runs through a box", () => {
  const node = (id: string, ...inputs: string[]): GraphNode => {
    return { id, label: id, kind: "stage", note: "", computes: {}, inputs };
  };
  const nodes = [
    node("a"),
    node("b", "a"),
    node("c", "b", "a"),
    node("d", "c", "a"),
    node("e", "d", "b", "a"),
    node("late"),
    node("f", "e", "late", "a", "c"),
  ];
  const svg = graphSvg(nodes);
  const numbers = (text: string) => [...text.matchAll(/-?\d+(\.\d+)?/g)].map(([number]) => Number(number));
  const boxes = [...svg.matchAll(/<rect class="stage" (.*?)\/>/g)].map(([, text = ""]) => {
    const [x = 0, y = 0, width = 0, height = 0] = numbers(text);
    return { left: x, top: y, right: x + width, bottom: y + height };
  });
  assert.equal(boxes.length, nodes.length);
  for (const [index, a] of boxes.entries()) {
    assert.ok(a.left >= 0 && a.top >= 0);
    for (const b of boxes.slice(index + 1)) {
      assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top);
    }
  }
  // a straight part of an edge passes between boxes; the curves run in the gaps between columns
  const straight = [...svg.matchAll(/<path d="(M[^C]*?L[^C]*?)"/g)].map(([, path = ""]) => numbers(path));
  assert.ok(straight.length > 3);
  for (const [x = 0, y = 0, end = 0] of straight) {
    assert.ok(boxes.every(({ left, right, top, bottom }) => right <= x || end <= left || y <= top || bottom <= y));
  }
  // what reads nothing stands beside its first reader
  const [, , , , e, late] = boxes;
  assert.equal(late?.left, e?.left);
});
