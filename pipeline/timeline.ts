/** Where a run's time went, stage by stage: for a terminal, and as a page that needs no other file and no script. */
import type { Span } from "./clock.ts";
import { duration, failureText, type StageReport, waitText } from "./report.ts";
import type { RunRecord } from "./run_record.ts";

/** What else the reader should know of the run, as name and value: the machine, the commit. */
export interface TimelineOptions {
  readonly facts?: readonly (readonly [name: string, value: string])[];
}

interface Row {
  readonly label: string;
  readonly report: StageReport;
  readonly spans: readonly Span[];
  readonly log: readonly string[];
}

/** Stages that ran something, the first to work first. */
function rowsOf({ summary, timeline = {} }: RunRecord): readonly Row[] {
  const rows = Object.entries(timeline).flatMap(([label, { spans, log }]): Row[] => {
    const report = summary.stages[label];
    return report === undefined ? [] : [{ label, report, spans, log }];
  });
  const start = ({ spans, report }: Row) => spans[0]?.[0] ?? report.waited?.inputs ?? 0;
  return rows.toSorted((a, b) => start(a) - start(b));
}

function headOf({ id, started, summary, about = {}, versions }: RunRecord, { facts = [] }: TimelineOptions) {
  const { status, seconds, executed, cached, skipped } = summary;
  const words = { done: "done", failed: "failed", aborted: "interrupted" };
  const missed = skipped === 0 ? "" : `, ${skipped} skipped`;
  const counts = `${words[status]} in ${duration(seconds)}: ${executed} executed, ${cached} cached${missed}`;
  const what = Object.entries(about);
  return {
    title: `Run ${id}`,
    lines: [
      ["result", summary.failed.length === 0 ? counts : `${counts}; ${failureText(summary)}`],
      ["started", started],
      ...what,
      ...facts,
      ["deno", versions.deno ?? ""] as const,
    ].filter(([, value]) => value !== ""),
  };
}

const NOTE = "Memory is the resident set of the whole process while the stage worked, sampled every 0.25 s; " +
  "what ran beside it counts too.";

function cellsOf({ report }: Row) {
  const { seconds, waited, peakMemory, executed, total } = report;
  return {
    worked: duration(seconds),
    waited: waitText(waited).replace(", after waiting ", ""),
    memory: peakMemory === undefined ? "" : `${Math.round(peakMemory / 1e6)} MB`,
    items: total === 1 ? "" : `${executed} of ${total}`,
  };
}

/** Columns of a bar in text. */
const COLUMNS = 40;

/** The timeline as text: "█" where a stage worked, "·" where it waited though its inputs were there. */
export function timelineText(run: RunRecord, options: TimelineOptions = {}): string {
  const { title, lines } = headOf(run, options);
  const rows = rowsOf(run);
  const head = [title, ...lines.map(([name, value]) => `  ${name.padEnd(8)} ${value}`)];
  if (rows.length === 0) return `${head.join("\n")}\n`;
  const table = [
    ["stage", `0${duration(run.summary.seconds).padStart(COLUMNS - 1)}`, "worked", "memory", "items", "waited for"],
    ...rows.map((row) => {
      const { worked, waited, memory, items } = cellsOf(row);
      return [row.label, barOf(row, run.summary.seconds), worked, memory, items, waited];
    }),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const right = [2, 3, 4];
  const text = table.map((cells) =>
    cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
  const logs = rows.flatMap(({ label, log }) => log.map((line) => `${label}: ${line}`));
  return `${[...head, "", ...text, "", NOTE, ...(logs.length === 0 ? [] : ["", ...logs])].join("\n")}\n`;
}

function barOf({ spans, report }: Row, seconds: number): string {
  const scale = COLUMNS / Math.max(seconds, 1e-9);
  const bar = Array.from({ length: COLUMNS }, () => " ");
  const fill = ([from, to]: Span, mark: string) => {
    const first = Math.min(COLUMNS - 1, Math.floor(from * scale));
    bar.fill(mark, first, Math.min(COLUMNS, Math.max(first + 1, Math.ceil(to * scale))));
  };
  fill(waitSpan({ spans, report }), "·");
  for (const span of spans) fill(span, "█");
  return bar.join("");
}

/** From when a stage's inputs were there until it last worked. */
function waitSpan({ spans, report }: Pick<Row, "spans" | "report">): Span {
  const from = report.waited?.inputs ?? 0;
  return [from, Math.max(from, spans.at(-1)?.[1] ?? 0)];
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 90rem; margin: 2rem auto; \
padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.85rem; width: 100%; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap; }
th:first-child, td:first-child, td.wide { text-align: left; }
td.bar { width: 45%; padding: 0; }
svg { display: block; width: 100%; height: 1rem; background: #f4f4f4; }
dt { float: left; min-width: 6rem; color: #555; }
dd { margin-left: 6rem; }
pre { white-space: pre-wrap; margin: 0.3rem 0; }
`;

/** The timeline as an HTML page. */
export function timelinePage(run: RunRecord, options: TimelineOptions = {}): string {
  const { title, lines } = headOf(run, options);
  const { seconds } = run.summary;
  const rows = rowsOf(run);
  const body = rows.map((row) => {
    const { worked, waited, memory, items } = cellsOf(row);
    return `<tr><td>${escapeHtml(row.label)}</td><td class="bar">${svgOf(row, seconds)}</td><td>${worked}</td>` +
      `<td>${memory}</td><td>${items}</td><td class="wide">${waited}</td></tr>`;
  });
  const logs = rows.filter(({ log }) => log.length > 0).map(({ label, log }) =>
    `<details><summary>${escapeHtml(label)}</summary><pre>${escapeHtml(log.join("\n"))}</pre></details>`
  );
  const facts = lines.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<dl>${facts.join("\n")}</dl>
<table>
<thead><tr><th>stage</th><th>0 to ${duration(seconds)}: dark where it worked, light where it waited</th>\
<th>worked</th><th>memory</th><th>items</th><th>waited for</th></tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
<p>${NOTE}</p>
${logs.length === 0 ? "" : `<h2>What the stages said</h2>\n${logs.join("\n")}`}
</body>
</html>
`;
}

/** Width of a bar's drawing; it is stretched to its cell. */
const WIDTH = 1000;

function svgOf(row: Row, seconds: number): string {
  const scale = WIDTH / Math.max(seconds, 1e-9);
  const rect = ([from, to]: Span, color: string) => {
    const x = from * scale;
    return `<rect x="${x.toFixed(1)}" width="${
      Math.max(1, (to - from) * scale).toFixed(1)
    }" height="10" fill="${color}"/>`;
  };
  const parts = [rect(waitSpan(row), "#bcd"), ...row.spans.map((span) => rect(span, "#246"))];
  return `<svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" role="img" aria-label="when it worked">` +
    `${parts.join("")}</svg>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
