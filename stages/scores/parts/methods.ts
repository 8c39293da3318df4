/**
 * The rows and columns of Table 1, and what the paper printed in it.
 *
 * The text of the paper that could be had is a lossy extraction. Of Table 1 it keeps the PSNR column, and of Table 2,
 * where the full method stands again, an L1 of 0.024. Every other cell is lost and shown as "—".
 */

/** The methods that the paper compares its own with, in its order. */
export const COMPARATORS = ["deca", "chen", "deng", "tran"] as const;
/** One of them. */
export type Comparator = typeof COMPARATORS[number];

/** The comparators, the paper's own method as it is printed, and ours. */
export const METHODS = [...COMPARATORS, "printed", "ours"] as const;
/** A row of Table 1. */
export type Method = typeof METHODS[number];

/**
 * What each method is given, in the rows' order.
 *
 * @throws {TypeError} naming a method that is absent, or a name that is no method's
 */
export function byMethod<T>(named: Readonly<Record<string, T>>): (readonly [Method, T])[] {
  const unknown = Object.keys(named).filter((name) => !METHODS.some((method) => method === name));
  if (unknown.length > 0) {
    throw new TypeError(`No method is called ${unknown.join(", ")}; there are ${METHODS.join(", ")}`);
  }
  return METHODS.map((method) => {
    const value = named[method];
    if (value === undefined) throw new TypeError(`There is nothing of the method ${METHOD_LABELS[method]}`);
    return [method, value];
  });
}

/**
 * How each row is labelled. The comparators' rows are named for what they are: the texture models of those papers,
 * re-made on our geometry, light and data, and not the authors' networks.
 */
export const METHOD_LABELS: Readonly<Record<Method, string>> = {
  deca: "linear albedo (DECA's model)",
  chen: "albedo and detail (Chen's model)",
  deng: "perceptual fit (Deng's model)",
  tran: "albedo decoder (Tran's model)",
  printed: "FTIM as printed",
  ours: "FTIM with a first guess (ours)",
};

/** Where a metric looks: on the face mask that all methods share, or everywhere. */
export const REGIONS = ["masked", "full"] as const;
/** A half of Table 1. */
export type Region = typeof REGIONS[number];

/** How each half is labelled. */
export const REGION_LABELS: Readonly<Record<Region, string>> = { masked: "Face mask", full: "Full frame" };

/** The scores in a row. */
export const METRICS = ["l1", "psnr", "ssim", "cosine", "cosine512"] as const;
/** A column of Table 1. */
export type Metric = typeof METRICS[number];

/**
 * The scores of each half. The second recognition opinion is on the full frame only: its crop is nearly all face, and
 * the network is slow enough that a masked one would double the time of the evaluation.
 */
export const REGION_METRICS: Readonly<Record<Region, readonly Metric[]>> = {
  masked: ["l1", "psnr", "ssim", "cosine"],
  full: METRICS,
};

/** How a metric is written and which way it improves. */
export interface MetricStyle {
  readonly label: string;
  readonly better: "lower" | "higher";
  readonly digits: number;
}

/**
 * L1 0..1; PSNR in dB; SSIM; cosine of the 1024-d recognition embedding; the same of the 512-d one, a second opinion.
 */
export const METRIC_STYLES: Readonly<Record<Metric, MetricStyle>> = {
  l1: { label: "L1", better: "lower", digits: 4 },
  psnr: { label: "PSNR", better: "higher", digits: 3 },
  ssim: { label: "SSIM", better: "higher", digits: 4 },
  cosine: { label: "cosine", better: "higher", digits: 4 },
  cosine512: { label: "cosine-512", better: "higher", digits: 4 },
};

/**
 * What the paper's Table 1 printed, on CelebA. Its row "Ours" is its own method, so it stands beside the module as
 * printed; the L1 of it is inferred from Table 2. Absent: lost, and all of ours, which the paper does not have.
 */
export const PAPER_TABLE1: Readonly<Record<Method, Readonly<Partial<Record<Metric, number>>>>> = {
  deca: { psnr: 21.741 },
  chen: { psnr: 22.653 },
  deng: { psnr: 23.568 },
  tran: { psnr: 17.575 },
  printed: { psnr: 27.585, l1: 0.024 },
  ours: {},
};

/** A value as the table prints it; infinite PSNR (an image equal to the input) as "∞". */
export function formatScore(metric: Metric, value: number): string {
  return value === Infinity ? "∞" : value.toFixed(METRIC_STYLES[metric].digits);
}

/** What the paper printed, or "—" where that is lost or never was. */
export function formatPaper(metric: Metric, value: number | undefined): string {
  if (value === undefined) return "—";
  return metric === "l1" ? value.toFixed(3) : formatScore(metric, value);
}
