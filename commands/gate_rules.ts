/** How metrics may move, and where each tolerance comes from. */
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import type { Baseline, Rule } from "@ftim/pipeline";

const counted = "a count of faces, views or pairs";
const rounding = "what drivers and package versions may move of a mean over faces";

/**
 * Rules of metrics that neither a baseline nor a measured spread knows, by how their names start or end; the first that
 * fits counts.
 */
export const RULES: Readonly<Record<string, Rule>> = {
  "faces": { direction: "equal", atol: 0, rtol: 0, from: counted },
  ".pairs": { direction: "equal", atol: 0, rtol: 0, from: counted },
  ".revealed_pairs": { direction: "equal", atol: 0, rtol: 0.02, from: `${counted}, of which some are at the limit` },
  ".views": { direction: "equal", atol: 0, rtol: 0, from: counted },
  // What training adds is small beside a mean and far steadier, for the guess has no seed.
  "gain.novel.revealed_ssim": {
    direction: "higher",
    atol: 0.005,
    rtol: 0,
    from: "chosen: seeds.csv has no spread of it",
  },
  "gain.": { direction: "higher", atol: 0.1, rtol: 0, from: "chosen: no spread over seeds was given" },
  "l1": { direction: "lower", atol: 0, rtol: 0.1, from: rounding },
  "psnr": { direction: "higher", atol: 0.5, rtol: 0, from: rounding },
  "ssim": { direction: "higher", atol: 0.02, rtol: 0, from: rounding },
  "cosine": { direction: "higher", atol: 0.02, rtol: 0, from: rounding },
  "cosine512": { direction: "higher", atol: 0.05, rtol: 0, from: rounding },
};

/** What training adds over the guess. */
const GAIN = "gain.";
/** Gains that have to be there, whatever else moves: a network that learns nothing has none of them. */
const SHOWN = ["gain.novel.revealed_psnr", "gain.uv.known_psnr"];

/** Columns of `seeds.csv`, and the metrics whose spread they are. The guess has none, so a gain has that of ours. */
const SPREADS: Readonly<Record<string, readonly string[]>> = {
  l1: ["ours.masked.l1"],
  psnr: ["ours.masked.psnr"],
  ssim: ["ours.masked.ssim"],
  cosine: ["ours.masked.cosine"],
  novel_l1: ["novel.ours.l1"],
  novel_psnr: ["novel.ours.psnr", "gain.novel.psnr"],
  novel_cosine: ["novel.ours.cosine"],
  revealed_psnr: ["novel.ours.revealed_psnr", "gain.novel.revealed_psnr"],
  unseen_psnr: ["uv.ours.unseen_psnr", "gain.uv.unseen_psnr"],
  known_psnr: ["uv.ours.known_psnr", "gain.uv.known_psnr"],
};

/**
 * Standard deviations between a baseline and a new value. Both are one draw each, so their difference has √2 of the
 * deviation, and a deviation over a few seeds is itself uncertain.
 */
const DEVIATIONS = 4;

/**
 * No tolerance is below these, for another adapter rounds otherwise, and two seeds may lie near each other by chance.
 * They are not measured but taken from the smallest spread of trainings that is: four standard deviations of PSNR in
 * other views were 0.03 dB over two seeds, those of SSIM 0.0013, of L1 0.0004 and of cosine 0.0004.
 */
const LEAST: Readonly<Record<string, number>> = { l1: 5e-4, psnr: 0.05, ssim: 1e-3, cosine: 1e-3 };

/**
 * Rules by name from the spread over seeds that `reproduce --seeds N` publishes.
 *
 * @param text `seeds.csv`
 * @throws where it has a column that no metric has the spread of, no row "standard deviation", or no number there
 */
export function spreadRules(text: string): Readonly<Record<string, Rule>> {
  const { data, meta } = papaparse.parse<Record<string, string>>(text.trim(), { header: true });
  const deviations = data.find(({ row }) => row === "standard deviation");
  if (deviations === undefined) throw new Error('it has no row "standard deviation": it is no seeds.csv');
  const unknown = (meta.fields ?? []).filter((name) => name !== "row" && !Object.hasOwn(SPREADS, name));
  if (unknown.length > 0) {
    throw new Error(
      `no metric has the spread of its column ${unknown.join(", ")}: name the metrics in SPREADS of ` +
        "commands/gate_rules.ts, or delete the column",
    );
  }
  const seeds = data.filter(({ row }) => row?.startsWith("training ")).length;
  const rules = Object.entries(SPREADS).flatMap(([column, metrics]) => {
    const text = deviations[column] ?? "";
    if (text === "") return [];
    const deviation = Number(text);
    if (!Number.isFinite(deviation)) throw new Error(`its standard deviation of ${column} is "${text}"`);
    const least = LEAST[column.replace(/^.*_/, "")] ?? 0;
    const atol = Math.max(least, DEVIATIONS * deviation);
    const measured = `${DEVIATIONS} × ${deviation}, the standard deviation over ${seeds} seeds`;
    const from = atol === least ? `the least tolerance; the spread is less: ${measured}` : measured;
    const direction = column.endsWith("l1") ? "lower" : "higher";
    return metrics.map((metric) => [metric, { direction, atol, rtol: 0, from }] as const);
  });
  if (rules.length === 0) throw new Error("it has no standard deviation: one training has no spread, so use --seeds 2");
  return Object.fromEntries(rules);
}

/**
 * The part of a gain that may be lost at most, whatever the spread over seeds says: of few seeds it is uncertain, and
 * what learns nothing loses all.
 */
const LOST = 0.75;

/**
 * A baseline with other rules where there are such, under which no gain may be lost as a whole; its values stay.
 *
 * @param rules by name; what is not in them keeps its rule
 */
export function withRules({ metrics }: Baseline, rules: Readonly<Record<string, Rule>> = {}): Baseline {
  const entries = Object.entries(metrics).map(([metric, { value, ...rule }]) =>
    [metric, { value, ...capped(metric, { value, rule: rules[metric] ?? rule }) }] as const
  );
  return { metrics: Object.fromEntries(entries) };
}

/**
 * A gain's rule, so that it notices where most of the gain is gone; another metric's as it is. Where there is no gain,
 * none can be lost.
 */
function capped(metric: string, { value, rule }: { value: number; rule: Rule }): Rule {
  const most = LOST * value;
  if (!metric.startsWith(GAIN) || allowedOf(rule, value) <= most || most <= 0) return rule;
  // A rule that was limited in an earlier baseline says what it is without that.
  const without = /\(without this limit: (.*)\)$/.exec(rule.from)?.[1] ?? rule.from;
  const limit = `${LOST} of a gain of ${Number(value.toPrecision(4))}, the most that may be lost`;
  return { ...rule, atol: most, rtol: 0, from: `${limit} (without this limit: ${without})` };
}

/** The change that would just pass. */
function allowedOf({ atol, rtol }: Rule, value: number): number {
  return atol + rtol * Math.abs(value);
}

/**
 * Refuses a baseline under which a network that learned nothing would pass.
 *
 * @throws naming the gain that is no larger than its tolerance
 */
export function requireLearning({ metrics }: Baseline): void {
  for (const name of SHOWN) {
    const rule = metrics[name];
    if (rule === undefined) continue;
    const allowed = allowedOf(rule, rule.value);
    if (rule.value > allowed) continue;
    throw new Error(
      `${name} is ${rule.value} with a tolerance of ${allowed}: a network that learns nothing would pass. ` +
        "Train longer, or measure the tolerance anew with --spread",
    );
  }
}
