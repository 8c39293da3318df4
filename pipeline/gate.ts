/** Compares metrics with a committed baseline: fails where one got worse by more than it may, or is gone. */
import { dirname } from "node:path";
import { temporaryIn } from "./temporary.ts";

/** How a metric may move. */
export interface Rule {
  /** Which way is better; "equal": any move beyond the tolerance fails. */
  readonly direction: "higher" | "lower" | "equal";
  readonly atol: number;
  /** Relative to the baseline's value. */
  readonly rtol: number;
  /** Where the tolerance comes from, for who reads the file. */
  readonly from: string;
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
  /** The value of the run that confirms; absent without one. */
  readonly again?: number | null;
  /** The change that would just pass. */
  readonly allowed: number;
  readonly direction: Rule["direction"];
  /**
   * "not a number": the metric, or what the baseline says of it, is NaN or infinite. "unconfirmed": worse in one of two
   * runs, and within tolerance in the other.
   */
  readonly verdict: "unconfirmed" | "ok" | "better" | "new" | typeof FAILURES[number];
}

/** The verdicts with which a gate does not pass. */
export const FAILURES = ["missing", "not a number", "worse"] as const;

/** The comparison of all metrics. */
export interface GateResult {
  readonly passed: boolean;
  readonly rows: readonly GateRow[];
}

/**
 * Names of metrics with their numbers: the leaves of a JSON value, joined with ".". Other leaves are left out.
 *
 * @throws where two leaves come to one name, as in `{"a": {"b": 1}, "a.b": 2}`
 */
export function flattenMetrics(value: unknown): Record<string, number> {
  const metrics = new Map<string, number>();
  function visit(inner: unknown, path: string | null): void {
    if (typeof inner === "number") {
      const name = path ?? "";
      if (metrics.has(name)) fail(`two metrics are named "${name}": give one of them another name`);
      metrics.set(name, inner);
    } else if (typeof inner === "object" && inner !== null) {
      for (const [key, leaf] of Object.entries(inner)) visit(leaf, path === null ? key : `${path}.${key}`);
    }
  }
  visit(value, null);
  return Object.fromEntries(metrics);
}

/**
 * Compares metrics with a baseline. A metric that the baseline does not know passes as "new". What is
 * missing, NaN or infinite never passes, on either side.
 *
 * @param again the metrics of one more run: what is worse in just one of the two passes as "unconfirmed". What is
 *   missing, NaN or infinite in either of them fails all the same
 * @throws where baseline and metrics have no metric in common: such a baseline is of something else
 */
export function gate(
  metrics: Readonly<Record<string, number>>,
  baseline: Baseline,
  { again }: { readonly again?: Readonly<Record<string, number>> } = {},
): GateResult {
  const first = gateOnce(metrics, baseline);
  if (again === undefined) return first;
  const second = new Map(gateOnce(again, baseline).rows.map((row) => [row.metric, row]));
  const known = new Set(first.rows.map(({ metric }) => metric));
  const rows: GateRow[] = first.rows.map((row) => {
    const other = second.get(row.metric);
    if (other === undefined) return { ...row, again: null, verdict: "missing" };
    return { ...row, again: other.value, verdict: confirmed(row.verdict, other.verdict) };
  });
  for (const row of second.values()) {
    if (!known.has(row.metric)) rows.push({ ...row, value: null, again: row.value, verdict: "missing" });
  }
  return { passed: rows.every(({ verdict }) => !isFailure(verdict)), rows };
}

/** What two runs say together. */
function confirmed(first: GateRow["verdict"], second: GateRow["verdict"]): GateRow["verdict"] {
  for (const fault of ["missing", "not a number"] as const) {
    if (first === fault || second === fault) return fault;
  }
  return (first === "worse") === (second === "worse") ? first : "unconfirmed";
}

function gateOnce(metrics: Readonly<Record<string, number>>, baseline: Baseline): GateResult {
  const [now, before] = [Object.keys(metrics), Object.keys(baseline.metrics)];
  if (!before.some((metric) => Object.hasOwn(metrics, metric))) {
    fail(
      `the metrics (${some(now)}) and the baseline (${some(before)}) have no name in common: ` +
        "it is a baseline of something else; name another, or write a new one with --update",
    );
  }
  const rows = Object.entries(baseline.metrics).map(([metric, rule]) =>
    compare(metric, rule, Object.hasOwn(metrics, metric) ? metrics[metric] : undefined)
  );
  for (const [metric, value] of Object.entries(metrics)) {
    if (Object.hasOwn(baseline.metrics, metric)) continue;
    const verdict = Number.isFinite(value) ? "new" : "not a number";
    rows.push({ metric, baseline: null, value, allowed: 0, direction: "equal", verdict });
  }
  return { passed: rows.every(({ verdict }) => !isFailure(verdict)), rows };
}

function isFailure(verdict: GateRow["verdict"]): boolean {
  return FAILURES.some((failure) => failure === verdict);
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
  if (![value, baseline, allowed].every(Number.isFinite)) return { ...row, value, verdict: "not a number" };
  const gain = direction === "lower" ? baseline - value : value - baseline;
  if (Math.abs(gain) <= allowed) return { ...row, value, verdict: "ok" };
  return { ...row, value, verdict: direction === "equal" || gain < 0 ? "worse" : "better" };
}

/** The rule of a metric that nothing else is known of. */
const UNKNOWN: Rule = { direction: "equal", atol: 0, rtol: 0.01, from: "1 %: no rule has this metric's name" };

/** How a new baseline is made. */
export interface BaselineOptions {
  /** Whose rules are kept. */
  readonly earlier?: Baseline;
  /** Rules of new metrics, by what their names start or end with; the first that fits counts. */
  readonly rules?: Readonly<Record<string, Rule>>;
  /** Leave out metrics of the earlier baseline that are gone. Default: refuse. */
  readonly drop?: boolean;
}

/**
 * A baseline of the metrics' present values. Rules are kept from an earlier baseline; a new metric without a rule gets
 * "equal" with 1 %.
 *
 * @throws where a metric is NaN or infinite, or one of the earlier baseline is gone
 */
export function baselineOf(
  metrics: Readonly<Record<string, number>>,
  { earlier, rules = {}, drop = false }: BaselineOptions = {},
): Baseline {
  const known = new Map(Object.entries(earlier?.metrics ?? {}));
  const gone = [...known.keys()].filter((metric) => !Object.hasOwn(metrics, metric));
  if (gone.length > 0 && !drop) fail(`this would drop ${gone.length} metrics of the baseline: ${gone.join(", ")}`);
  const entries = Object.entries(metrics).sort(([a], [b]) => a < b ? -1 : 1).map(([metric, value]) => {
    if (!Number.isFinite(value)) throw new RangeError(`${metric} is ${value}: that cannot be a baseline`);
    const matching = Object.entries(rules).find(([part]) => metric.startsWith(part) || metric.endsWith(part))?.[1];
    const { direction, atol, rtol, from } = known.get(metric) ?? matching ?? UNKNOWN;
    return [metric, { value, direction, atol, rtol, from }] as const;
  });
  return { metrics: Object.fromEntries(entries) };
}

const DIRECTIONS: readonly unknown[] = ["higher", "lower", "equal"] satisfies Rule["direction"][];

/** Reads a baseline file; says where one is malformed. */
export function readBaseline(path: string): Baseline {
  const { metrics } = record(parse(path)) ?? {};
  const rules = record(metrics) ?? fail(`${path}: has no "metrics", an object of metrics by name`);
  for (const [metric, rule] of Object.entries(rules)) {
    const { value, direction, atol, rtol, from } = record(rule) ?? {};
    const sound = Number.isFinite(value) && isTolerance(atol) && isTolerance(rtol) && DIRECTIONS.includes(direction);
    if (!sound) fail(`${path}: ${metric} needs value, atol ≥ 0, rtol ≥ 0 and a direction (higher, lower, equal)`);
    if (typeof from !== "string" || from.trim() === "") {
      fail(`${path}: ${metric} needs "from", a text that says where its tolerance comes from`);
    }
  }
  return { metrics: rules as Baseline["metrics"] };
}

/** A JSON object that is no list, or null. */
function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}

function isTolerance(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function parse(path: string): unknown {
  try {
    // a byte order mark, as some editors write it, is no part of JSON
    return JSON.parse(Deno.readTextFileSync(path).replace(/^\ufeff/, ""));
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
  using temporary = temporaryIn(dirname(path));
  Deno.writeTextFileSync(temporary.path, `${JSON.stringify(baseline, null, 2)}\n`);
  Deno.renameSync(temporary.path, path);
}
