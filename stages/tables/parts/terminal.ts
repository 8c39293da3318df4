/** Text for a terminal of 80 columns. */

/** Columns of a terminal. */
const TERMINAL = 80;

/** Rows of cells as lines: the first cell of each at the left, the others at the right; one blank between, or two. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const wide = widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1) > TERMINAL;
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)).join(
      wide ? " " : "  ",
    )
  );
}

/** A text in lines that are no longer than a terminal is wide, but for words that are. */
export function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > TERMINAL) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
