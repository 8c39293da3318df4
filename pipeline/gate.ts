/** Compares metrics with a committed baseline: fails where one got worse by more than it may, or is gone. */

/** How a metric may move. */
export interface Rule {
  /** Which way is better; "equal": any move beyond the tolerance fails. */
  readonly direction: "higher" | "lower" | "equal";
  readonly atol: number;
  /** Relative to the baseline's value. */
  readonly rtol: number;
}

/** A committed baseline: metric name → value and rule. */
export interface Baseline {
  readonly metrics: Readonly<Record<string, Rule & { readonly value: number }>>;
}

/** One metric's comparison. */
export interface GateRow {
  readonly metric: string;
  readonly baseline: number | null;
  readonly value: number | null;
  /** The change that would just pass. */
  readonly allowed: number;
  readonly direction: Rule["direction"];
  readonly verdict: "ok" | "better" | "worse" | "missing" | "new";
}

/** The comparison of all metrics. */
export interface GateResult {
  readonly passed: boolean;
  readonly rows: readonly GateRow[];
}

/** Names of metrics with their numbers: the leaves of a JSON value, joined with ".". Other leaves are left out. */
export function flattenMetrics(value: unknown, path = ""): Record<string, number> {
  if (typeof value === "number") return { [path]: value };
  if (typeof value !== "object" || value === null) return {};
  const parts = Object.entries(value).map(([key, inner]) =>
    flattenMetrics(inner, path === "" ? key : `${path}.${key}`)
  );
  return Object.assign({}, ...parts);
}

/**
 * Compares metrics with a baseline. A metric that the baseline does not know passes as "new"; NaN never passes.
 *
 * @throws where the two have no metric in common: such a baseline is of something else
 */
export function gate(metrics: Readonly<Record<string, number>>, baseline: Baseline): GateResult {
  const [now, before] = [Object.keys(metrics), Object.keys(baseline.metrics)];
  if (!before.some((metric) => metrics[metric] !== undefined)) {
    fail(
      `the metrics (${some(now)}) and the baseline (${some(before)}) have no name in common: ` +
        "it is a baseline of something else; name another, or write a new one with --update",
    );
  }
  const rows = Object.entries(baseline.metrics).map(([metric, rule]) => compare(metric, rule, metrics[metric]));
  for (const [metric, value] of Object.entries(metrics)) {
    if (baseline.metrics[metric] !== undefined) continue;
    rows.push({ metric, baseline: null, value, allowed: 0, direction: "equal", verdict: "new" });
  }
  return { passed: rows.every(({ verdict }) => verdict !== "worse" && verdict !== "missing"), rows };
}

/** The first few of some names, and how many there are. */
function some(names: readonly string[]): string {
  return names.length === 0
    ? "none"
    : `${names.length}: ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
}

function compare(metric: string, rule: Rule & { readonly value: number }, value: number | undefined): GateRow {
  const { value: baseline, direction, atol, rtol } = rule;
  const allowed = atol + rtol * Math.abs(baseline);
  const row = { metric, baseline, direction, allowed };
  if (value === undefined) return { ...row, value: null, verdict: "missing" };
  if (!Number.isFinite(value)) return { ...row, value, verdict: "worse" };
  const gain = direction === "lower" ? baseline - value : value - baseline;
  if (Math.abs(gain) <= allowed) return { ...row, value, verdict: "ok" };
  return { ...row, value, verdict: direction === "equal" || gain < 0 ? "worse" : "better" };
}

/**
 * A baseline of the metrics' present values. Rules are kept from an earlier baseline; a new metric gets the first rule
 * whose key its name starts or ends with, else "equal" with 1 %.
 */
export function baselineOf(
  metrics: Readonly<Record<string, number>>,
  { earlier, rules = {} }: { readonly earlier?: Baseline; readonly rules?: Readonly<Record<string, Rule>> } = {},
): Baseline {
  const entries = Object.entries(metrics).sort(([a], [b]) => a < b ? -1 : 1).map(([metric, value]) => {
    if (!Number.isFinite(value)) throw new RangeError(`${metric} is ${value}: that cannot be a baseline`);
    const matching = Object.entries(rules).find(([part]) => metric.startsWith(part) || metric.endsWith(part))?.[1];
    const { direction, atol, rtol } = earlier?.metrics[metric] ?? matching ??
      { direction: "equal", atol: 0, rtol: 0.01 };
    return [metric, { value, direction, atol, rtol }] as const;
  });
  return { metrics: Object.fromEntries(entries) };
}

/** Reads a baseline file; says where one is malformed. */
export function readBaseline(path: string): Baseline {
  const baseline: Baseline = parse(path);
  for (const [metric, rule] of Object.entries(baseline.metrics ?? fail(`${path}: has no "metrics"`))) {
    const numbers = [rule.value, rule.atol, rule.rtol].every((number) => Number.isFinite(number));
    if (!numbers || rule.atol < 0 || rule.rtol < 0 || !["higher", "lower", "equal"].includes(rule.direction)) {
      fail(`${path}: ${metric} needs value, atol ≥ 0, rtol ≥ 0 and a direction (higher, lower, equal)`);
    }
  }
  return baseline;
}

function parse(path: string) {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    return fail(missing ? `${path}: no such file; write one with --update` : `${path} is not JSON: ${cause}`);
  }
}

function fail(message: string): never {
  throw new Error(message);
}

/** Writes a baseline, atomically, as sorted and indented JSON that a diff can show. */
export function writeBaseline(path: string, baseline: Baseline): void {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  Deno.writeTextFileSync(temporary, `${JSON.stringify(baseline, null, 2)}\n`);
  Deno.renameSync(temporary, path);
}

/** A Markdown table, what failed first. */
export function gateMarkdown({ passed, rows }: GateResult): string {
  const order = ["missing", "worse", "better", "new", "ok"] as const;
  const sorted = order.flatMap((verdict) => rows.filter((row) => row.verdict === verdict));
  const steady = rows.filter(({ verdict }) => verdict === "ok").length;
  const lines = [
    `### Metrics: ${passed ? "passed" : "FAILED"}`,
    "",
    `${steady} of ${rows.length} within tolerance.`,
    "",
    "| metric | baseline | now | change | allowed | better | |",
    "|---|---:|---:|---:|---:|---|---|",
  ];
  for (const { metric, baseline, value, allowed, direction, verdict } of sorted) {
    const change = baseline === null || value === null ? "" : signed(value - baseline);
    const cells = [metric, number(baseline), number(value), change, `±${number(allowed)}`, direction, verdict];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

function number(value: number | null): string {
  return value === null ? "" : String(Number(value.toPrecision(6)));
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${number(value)}`;
}

/** Appends Markdown to the GitHub step summary, where there is one. */
export function appendStepSummary(markdown: string, path = Deno.env.get("GITHUB_STEP_SUMMARY")): boolean {
  if (path === undefined || path === "") return false;
  Deno.writeTextFileSync(path, `${markdown}\n`, { append: true });
  return true;
}
