import assert from "node:assert/strict";
import { join } from "node:path";
import { cast, reproduce, sourceFolder } from "@ftim/pipeline";
import { filterReport } from "../../../stages/tables/filter_report.ts";
import { openLab } from "../../pipeline/lab.ts";

Deno.test("the filter report scores what detect, pose and triplets wrote", async () => {
  using lab = openLab();
  const frame = (view: number, yaw: number | null) => ({
    key: `7/2_smile/${view}`,
    hasFace: yaw !== null,
    yaw,
    identity: "7",
    expression: "2_smile",
  });
  const poses = Object.fromEntries(
    [-28, 2, 35].map((yaw, i) => [`poses/7/2_smile/${i}.json`, `{"faces":[{"yaw":${yaw}}],"known":null}`]),
  );
  lab.put({
    "truth/truth.json": JSON.stringify([frame(0, -30), frame(1, 0), frame(2, 30), frame(3, null)]),
    ...poses,
    ...Object.fromEntries([0, 1, 2].map((i) => [`detections/7/2_smile/${i}.json`, `{"faces":[{}]}`])),
    "triplets/triplets.json": JSON.stringify({
      bins: [[-90, -10], [-10, 10], [10, 90]],
      triplets: [{
        identity: "7",
        expression: "2_smile",
        views: ["7/2_smile/0/0", "7/2_smile/1/0", "7/2_smile/2/0"],
        yaws: [-28, 2, 35],
      }],
    }),
  });
  const folder = <K extends string>(kind: K) => cast(sourceFolder(join(lab.source, kind)), kind);
  const report = filterReport({
    truth: folder("truth"),
    detections: folder("detections"),
    poses: folder("poses"),
    triplets: folder("triplets"),
  });
  const { trees } = await reproduce({ report }, lab.options());
  const text = await trees.report.text("filter_report.md");
  assert.match(text, /precision 100\.0 %, recall 100\.0 %/);
  assert.match(text, /error mean 3\.0°/);
  assert.match(text, /1 triplets: all three views in their true bins 100\.0 %/);
});
