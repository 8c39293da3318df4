/** `page`: the numbers of the pages that show results, from the tables that runs published. */
import type { Command } from "commander";
import { place } from "./common.ts";
import { Failure } from "./failure.ts";
import { filledPage } from "./page_numbers.ts";

/** The pages that show results. */
export const PAGES = ["README.md", "results/README.md", "docs/departures.md"] as const;

interface PageOptions {
  readonly results: string;
  readonly check?: true;
}

/** Adds the command. */
export function page(program: Command): void {
  program.command("page [pages...]")
    .description("fill in the numbers of pages from the published files; default: all pages that show results")
    .option("--results <folder>", "that the tables are in", place, "results")
    .option("--check", "change nothing; fail where a number is not the table's")
    .action(fill);
}

function fill(pages: readonly string[], { results, check }: PageOptions): void {
  let old = 0;
  for (const path of pages.length === 0 ? PAGES : pages.map(place)) {
    const text = readText(path);
    const filled = filledPage(text, (path) => readText(`${results}/${path}`));
    const lines = text.split("\n");
    const changed = filled.split("\n").flatMap((line, i) => line === lines[i] ? [] : [`${path}:${i + 1}: ${line}`]);
    if (changed.length > 0) old++;
    for (const line of changed) console.log(line);
    if (changed.length === 0) console.log(`${path}: as the tables have it`);
    else if (check !== true) Deno.writeTextFileSync(path, filled);
  }
  if (check === true && old > 0) throw new Failure();
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`There is no ${path}`);
  }
}
