/** From reconstructions to measurements, Table 1, Figure 3 and the report. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { l1, psnr, ssim } from "@ftim/gpu/metrics-cpu";
import type { RgbImage } from "../../../face/image.ts";
import { encodeSafetensors } from "../../../nets/safetensors.ts";
import { type Artifact, cast, reproduce, sourceFolder } from "@ftim/pipeline";
import { embedFaces } from "../../../stages/scores/embed.ts";
import { figure3 } from "../../../stages/figures/figure3.ts";
import { scoreMetrics } from "../../../stages/scores/metrics.ts";
import { encodeGreyPng, encodePng } from "../../../stages/faces/photograph.ts";
import { report } from "../../../stages/figures/report.ts";
import { table1 } from "../../../stages/tables/table1.ts";
import type { FaceScores, Measurement } from "../../../stages/scores/parts/measurements.ts";
import { type Method, METHODS } from "../../../stages/scores/parts/methods.ts";
import { checkGpu } from "../../../experiments/gpu_check.ts";
import { asset } from "../../assets.ts";
import { fontFile } from "../../font.ts";
import { goldenPair } from "../../golden/images.ts";
import { topology } from "../../../experiments/regressors.ts";
import { openLab } from "../../pipeline/lab.ts";

const SIZE = { width: 224, height: 224 };
const KEYS = ["photo_1/0", "photo_2/0"];

Deno.test("made-up reconstructions become measurements, Table 1 and Figure 3", async () => {
  using lab = openLab();
  const truth = await writeInputs(lab.source);
  const folder = <K extends string>(name: string, kind: K): Artifact<K> =>
    cast(sourceFolder(join(lab.source, name)), kind);
  const byMethod = <T>(make: (method: Method) => T) =>
    Object.fromEntries(METHODS.map((method) => [method, make(method)])) as Record<Method, T>;
  const shared = { crops: folder("aligned", "aligned"), unwrapped: folder("unwrapped", "unwrapped") };
  const reconstructions = byMethod((method) => folder(method, "reconstructions"));
  const faces = { ...shared, meshes: folder("meshes", "meshes") };
  const networks = {
    topology: topology(),
    recognition: folder("recognition", "assets"),
    features: folder("features", "assets"),
  };
  const embeddings = embedFaces({ ...faces, ...networks });
  const scores = byMethod((method) =>
    scoreMetrics({ ...faces, ...networks, embeddings, reconstructions: reconstructions[method] })
  );
  const detections = folder("detections", "detections");
  const table = table1({ scores, networks: { deng: scores.ours }, detections }, {
    expectedFaces: { photo_1: 2, photo_2: 1 },
    absent: { deca: "deca/deca_model.tar (granted by its authors)" },
    resamples: 200,
  });
  const figure = figure3({ ...shared, reconstructions, font: folder("font", "assets") }, { columns: 1 });
  const targets = {
    metrics: scores.ours,
    table,
    figure,
    report: report({ table1: table, figure3: figure }),
  };
  const { trees } = await reproduce(targets, lab.options({ checkGpu }));

  assert.deepEqual(trees.metrics.paths, KEYS.map((key) => `${key}.json`));
  const measurements = await trees.table.json<Measurement[]>("metrics.json");
  assert.deepEqual(measurements.map(({ face }) => face), KEYS);
  for (const { face: key, methods, maskShare } of measurements) {
    const { photograph, mask, renders } = truth.get(key)!;
    assert.ok(Math.abs(maskShare - mask.reduce((a, b) => a + b) / mask.length) < 1e-6);
    for (const [i, method] of METHODS.entries()) {
      const { masked, full } = methods[method];
      for (const [name, metric] of Object.entries({ l1, psnr, ssim }) as ["l1" | "psnr" | "ssim", typeof l1][]) {
        const expected = metric(renders[i]!, photograph), onMask = metric(renders[i]!, photograph, { mask });
        assert.ok(Math.abs((full[name] ?? Infinity) - expected) < 1e-5 || full[name] === null && expected === Infinity);
        assert.ok(Math.abs((masked[name] ?? Infinity) - onMask) < 1e-5 || masked[name] === null && onMask === Infinity);
      }
    }
    const { ours, tran, deng_network } = methods;
    assert.deepEqual(deng_network, ours);
    assert.ok(ours.full.cosine > tran.full.cosine && ours.full.cosine512! > tran.full.cosine512!);
    assert.ok(ours.masked.cosine > 0.9);
  }
  const equal = (await trees.metrics.json<FaceScores>("photo_2/0.json")).full;
  assert.equal(equal.psnr, null);
  assert.ok(equal.cosine > 0.99999 && equal.cosine512! > 0.99999);

  assert.deepEqual(trees.table.paths, [
    "metrics.csv",
    "metrics.json",
    "table1.csv",
    "table1.md",
    "table1.tex",
    "table1.txt",
  ]);
  const text = await trees.table.text("table1.txt");
  assert.match(text, /^FTIM with a first guess \(ours\) .*∞/m);
  assert.match(text, /1 of the 2 faces in photo_1\s\(not\sdetected\)/);
  assert.deepEqual(trees.figure.paths, ["figure3.png", "figure3_all.png"]);
  assert.match(
    await trees.report.text("report.html"),
    /<td align="left">FTIM with a first guess \(ours\)<[^]*data:image\/png/,
  );
  const { width, height } = await sharp(await trees.figure.bytes("figure3.png")).metadata();
  assert.deepEqual([width, height], [190 + 174, 24 + 10 * 174]);
});

interface Face {
  photograph: RgbImage;
  mask: Float32Array;
  renders: RgbImage[];
}

/**
 * Writes what the stages before would have made: later methods are nearer to the photograph, and ours equals it once.
 */
async function writeInputs(root: string): Promise<Map<string, Face>> {
  const put = async (path: string, bytes: Uint8Array) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeFile(join(root, path), bytes);
  };
  const faces = new Map<string, Face>();
  for (const [n, key] of KEYS.entries()) {
    const { a: photograph, b, mask } = goldenPair({ ...SIZE, amplitude: 40 + n });
    const renders = METHODS.map((method, rank): RgbImage => {
      const share = method === "ours" && n === 1 ? 0 : 1 - rank / 6;
      return { ...SIZE, data: photograph.data.map((v, i) => Math.round(255 * (v + share * (b.data[i]! - v))) / 255) };
    });
    faces.set(key, { photograph, mask, renders });
    await put(`aligned/${key}.png`, await encodePng(photograph));
    await put(`unwrapped/${key}.mask.png`, await encodeGreyPng({ ...SIZE, data: mask }));
    await put(`unwrapped/${key}.texture.png`, await encodePng(photograph));
    await put(`meshes/${key}.safetensors`, encodeSafetensors({ vertices: { shape: [468, 3], data: mesh() } }));
    for (const [i, method] of METHODS.entries()) {
      await put(`${method}/${key}.render.png`, await encodePng(renders[i]!));
      await put(`${method}/${key}.texture.png`, await encodePng(renders[i]!));
    }
  }
  for (const [photo, count] of [["photo_1", 1], ["photo_2", 1]] as const) {
    await put(`detections/${photo}.json`, new TextEncoder().encode(JSON.stringify({ faces: Array(count).fill({}) })));
  }
  for (
    const [folder, id] of [
      ["recognition", "models/faceres.bin"],
      ["recognition", "models/faceres.json"],
      ["features", "models/fr_feature.onnx"],
    ] as const
  ) await put(join(folder, id), await asset(id));
  await put("font/DejaVuSans.ttf", await Deno.readFile(await fontFile()));
  return faces;
}

/** A mesh whose eyes, nose and mouth are where a frontal crop has them. */
function mesh(): Float32Array {
  const vertices = new Float32Array(3 * 468).fill(112);
  const at = {
    33: [70, 90],
    133: [95, 90],
    362: [129, 90],
    263: [154, 90],
    1: [112, 125],
    61: [90, 150],
    291: [134, 150],
  };
  for (const [index, point] of Object.entries(at)) vertices.set(point, 3 * Number(index));
  return vertices;
}
