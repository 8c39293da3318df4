/** What a gate found as Markdown, on the terminal and in the summary of a step of GitHub Actions. */
import { FAILURES, type GateResult } from "./gate.ts";

/** A Markdown table, what failed first. */
export function gateMarkdown({ passed, rows }: GateResult): string {
  const order = [...FAILURES, "unconfirmed", "better", "new", "ok"] as const;
  const sorted = order.flatMap((verdict) => rows.filter((row) => row.verdict === verdict));
  const steady = rows.filter(({ verdict }) => verdict === "ok").length;
  const twice = rows.some(({ again }) => again !== undefined);
  const columns = ["metric", "baseline", "now", ...twice ? ["again"] : [], "change", "allowed", "better", ""];
  const lines = [
    `### Metrics: ${passed ? "passed" : "FAILED"}`,
    "",
    `${steady} of ${rows.length} within tolerance${twice ? " in both runs" : ""}.`,
    "",
    `| ${columns.join(" | ")} |`,
    `|${columns.map((name) => ["metric", "better", ""].includes(name) ? "---" : "---:").join("|")}|`,
  ];
  for (const { metric, baseline, value, again = null, allowed, direction, verdict } of sorted) {
    const change = baseline === null || value === null ? "" : signed(value - baseline);
    const values = [baseline, value, ...twice ? [again] : []].map(number);
    lines.push(`| ${[metric, ...values, change, `±${number(allowed)}`, direction, verdict].join(" | ")} |`);
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
