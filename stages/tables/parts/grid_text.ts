/** A table as text for a terminal. */
import { type Grid, isBest, meanText } from "./grid.ts";
import { alignColumns, wrapped } from "./terminal.ts";

/** Some columns of a table: means alone, the best of each with a star, the notes below. */
export function gridText(grid: Grid, { columns: names }: { readonly columns: readonly string[] }): string {
  const chosen = names.map((name) => {
    const column = grid.columns.findIndex((column) => column.name === name);
    if (column === -1) throw new RangeError(`The table "${grid.title}" has no column ${name}`);
    return column;
  });
  const head = chosen.map((column) => {
    const { label, better } = grid.columns[column]!;
    return better === null ? label : `${label} ${better === "lower" ? "↓" : "↑"}`;
  });
  const rows = grid.rows.map((row, r) => {
    const cells = chosen.map((column) =>
      `${isBest(grid, { row: r, column }) ? "*" : ""}${meanText(row, { grid, column })}`
    );
    return [row.label, ...cells];
  });
  const notes = grid.notes.flatMap((note) => ["", ...wrapped(note.replace("Bold:", "Star:"))]);
  return [...alignColumns([[grid.title, ...head], ...rows]), ...notes].join("\n") + "\n";
}
