/** The report on the data funnel as Markdown. */
import { BIN_NAMES, type FilterScores } from "./filter_scores.ts";

// More names than this are counted and not listed.
const LISTED = 20;

/** The scores of the data funnel as a page of Markdown. */
export function filterMarkdown(
  { frames, unknown = 0, faces, yaw, confusion, triplets }: FilterScores,
  bins: readonly (readonly [number, number])[],
): string {
  const range = (i: number) => bins[i] === undefined ? "" : ` [${bins[i][0]}°, ${bins[i][1]}°]`;
  const lines = [
    "# The data funnel against known truth",
    "",
    `${frames} frames, ${faces.withFace} with a face. The filter kept ${faces.kept}: precision ${
      percent(faces.precision)
    }, recall ${percent(faces.recall)}.`,
    ...(unknown === 0 ? [] : ["", `Of ${unknown} more frames the truth is not known. They are not counted.`]),
    ...names("Kept without a face", faces.keptWithoutFace),
    ...names("Dropped with a face", faces.droppedWithFace),
    "",
    `Yaw of ${yaw.count} kept faces: error mean ${degrees(yaw.mean)}, median ${degrees(yaw.median)}, 95th percentile ${
      degrees(yaw.p95)
    }; ` +
    `bias (estimate − truth) ${degrees(yaw.bias)}.`,
    "",
    `| true bin \\ estimated | ${BIN_NAMES.join(" | ")} |`,
    `| :-- | ${BIN_NAMES.map(() => "--:").join(" | ")} |`,
    ...confusion.map((row, i) => `| ${BIN_NAMES[i]}${range(i)} | ${row.join(" | ")} |`),
    "",
    `${triplets.count} triplets: all three views in their true bins ${percent(triplets.rightBins)}, ` +
    `all three of the named identity and expression ${percent(triplets.rightPeople)}.`,
    ...names("Wrong triplets", triplets.wrong.map((views) => views.join(" + "))),
  ];
  return lines.join("\n") + "\n";
}

function names(title: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const more = keys.length > LISTED ? `, and ${keys.length - LISTED} more` : "";
  return ["", `${title} (${keys.length}): ${keys.slice(0, LISTED).map((key) => `\`${key}\``).join(", ")}${more}.`];
}

function percent(share: number | null): string {
  return share === null ? "—" : `${(100 * share).toFixed(1)} %`;
}

function degrees(value: number | null): string {
  return value === null ? "—" : `${value.toFixed(1)}°`;
}
