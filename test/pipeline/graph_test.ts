import assert from "node:assert/strict";
import {
  graphMermaid,
  graphOf,
  graphSvg,
  graphText,
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
    `flowchart LR\n  n0[("${lab.source}")]\n  n1["upper<br/>fresh, 2 items"]\n  n0 --> n1\n  n3["total<br/>stale"]\n  n1 --> n3\n`,
  );
  const svg = graphSvg(nodes);
  assert.equal(svg.match(/<rect/g)?.length, 3);
  assert.equal(svg.match(/<path/g)?.length, 2);
  assert.equal(graphSvg(nodes), svg);
});
