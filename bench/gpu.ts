/**
 * What the kernels reach on this adapter, in one run: `deno task bench [--json] [--only NAME,NAME]`. Prints the
 * measured multiply-add peak and copy bandwidth, each kernel with its share of them and stock tfjs beside it, the fits
 * of many faces beside their twins in JavaScript, the paper's own networks on drawn weights, the training step of FTIM
 * with all losses (ours and on stock kernels), its U-Net alone beside PyTorch on the CPU, and the bars that each must
 * reach. Other work on the machine lowers all figures; ratios of one run can be trusted, milliseconds only on an idle
 * machine.
 */
import { benchConvolution } from "./gpu/convolution.ts";
import { benchFaceMesh } from "./gpu/face_mesh.ts";
import { benchFill } from "./gpu/fill.ts";
import { benchFits } from "./gpu/fits.ts";
import { benchLayout } from "./gpu/layout.ts";
import { openLab, rounded, type Row } from "./gpu/lab.ts";
import { benchPaperNetworks } from "./gpu/paper_networks.ts";
import { benchRendering } from "./gpu/rendering.ts";
import { benchSimilarity } from "./gpu/similarity.ts";
import { benchTrainingStep } from "./gpu/training_step.ts";
import { benchUnetStep } from "./gpu/unet_step.ts";

const PARTS = [
  "convolution",
  "layout",
  "rendering",
  "fill",
  "fits",
  "mesh",
  "paper",
  "similarity",
  "unet",
  "training",
] as const;

const only = Deno.args.includes("--only") ? (Deno.args[Deno.args.indexOf("--only") + 1] ?? "").split(",") : PARTS;
const unknown = only.filter((name) => !(PARTS as readonly string[]).includes(name));
if (unknown.length > 0) {
  throw new RangeError(`There is no benchmark ${unknown.join(", ")}; there are ${PARTS.join(", ")}`);
}
const json = Deno.args.includes("--json");

const lab = await openLab();
const results: Partial<Record<typeof PARTS[number], Row[]>> = {};
if (!json) {
  console.log(
    `${lab.gpu.info.description}: multiply-add peak ${lab.peak.toFixed(0)} GFLOP/s, copy ${
      lab.bandwidth.toFixed(1)
    } GB/s`,
  );
}
for (const part of PARTS) {
  if (!only.includes(part)) continue;
  const rows = await run(part);
  results[part] = rows;
  if (json) continue;
  console.log(part);
  console.table(rows);
}
await lab.gpu.assertHealthy("bench/gpu.ts");
const bars = barsOf(results);
if (json) {
  const { peak, bandwidth, gpu: { info } } = lab;
  console.log(JSON.stringify({ adapter: info, peak, bandwidth, ...results, bars }, null, 2));
} else {
  if (bars.length > 0) console.table(bars);
}

async function run(part: typeof PARTS[number]): Promise<Row[]> {
  switch (part) {
    case "convolution":
      return await benchConvolution(lab);
    case "layout":
      return await benchLayout(lab);
    case "rendering":
      return await benchRendering(lab);
    case "fill":
      return await benchFill(lab);
    case "fits":
      return await benchFits(lab);
    case "mesh":
      return [await benchFaceMesh(lab)];
    case "paper":
      return await benchPaperNetworks(lab);
    case "similarity":
      return [await benchSimilarity(lab)];
    case "unet":
      return [await benchUnetStep(lab)];
    case "training":
      return [await benchTrainingStep(lab)];
  }
}

/** What was to be reached, and whether it was. */
function barsOf({ convolution, rendering, fits, paper, similarity, training }: typeof results): Row[] {
  const first = (kernel: string) => convolution?.find((row) => row.kernel === kernel);
  const bars: Row[] = [];
  const bar = (work: string, { value, target, most = false }: { value: unknown; target: number; most?: boolean }) => {
    if (typeof value !== "number") return;
    const reached = most ? value <= target : value >= target;
    bars.push({
      work,
      measured: rounded(value, 5),
      bar: `${most ? "≤" : "≥"} ${target}`,
      reached: reached ? "yes" : "no",
    });
  };
  bar("Conv2D 64→64 at 64², 3×3: times stock", { value: first("Conv2D")?.speedup, target: 5 });
  bar("Conv2D 64→64 at 64², 3×3: share of peak", { value: first("Conv2D")?.["share of peak"], target: 0.25 });
  bar("filter gradient, same shape: times stock", { value: first("Conv2DBackpropFilter")?.speedup, target: 30 });
  bar("training step, all losses: times stock", { value: training?.[0]?.speedup, target: 10 });
  const times = (work: string) => rendering?.find((row) => `${row.work}`.startsWith(work))?.["times JavaScript"];
  bar("pictures of 64 faces: times JavaScript", { value: times("picture of"), target: 4 });
  bar("training's operator, built and rendered: times JavaScript", {
    value: times("operator of training built, and"),
    target: 2,
  });
  bar("UV unwrap of 20,000 triangles: ms each", { value: rendering?.at(-1)?.["ours ms"], target: 8, most: true });
  bar("light and albedo of 16 faces: times JavaScript", { value: fits?.[2]?.["times JavaScript"], target: 4 });
  bar("DECA's encoder: share of peak", { value: paper?.[0]?.["share of peak"], target: 0.35 });
  bar("SSIM of 64 images of 224²: times ssim.js on one channel", { value: similarity?.[0]?.["times grey"], target: 5 });
  bar("SSIM: error", { value: similarity?.[0]?.["largest error"], target: 1e-5, most: true });
  return bars;
}
