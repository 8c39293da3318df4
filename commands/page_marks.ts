/**
 * The marks of a page whose numbers come from tables: HTML comments, which a reader of the page does not see. What they
 * may be, and how a source is written, is in docs/page.md.
 */
import { CHOICES, GROUPS, type Source } from "./page_tables.ts";

const SOURCE = /^([\w/-]*)(?:\[(.+)\])?\.(\w+)$/;
const JSON_SOURCE = /^([\w/-]+\.json)#(\/.*)$/;
const [GROUP, CHOICE] = [GROUPS, CHOICES].map((named) => Object.keys(named).join("|"));
/** What a comment says, and what stands between it and the comment that closes it. */
const [SAYS, TEXT, CLOSED] = ["((?:(?!-->)[^])*)-->", "((?:(?!<!--)[^])*)", "<!-- / -->"];
/** A mark before a table: its sources, the table. */
export const CELLS = new RegExp(`<!-- cells:${SAYS}\\n((?:\\|.*(?:\\n|$))+)`, "g");
/** A mark of one number: its source, the number. */
export const VALUE = new RegExp(`<!-- value:${SAYS}${TEXT}${CLOSED}`, "g");
/** A mark of a list: the group, what the intervals do, its source, the list. */
export const LIST = new RegExp(`<!-- (${GROUP}) that (${CHOICE}):${SAYS}${TEXT}${CLOSED}`, "g");
/** A comment that is meant as a mark: some words and a colon. */
const MARK = /<!-- ([^:>]+):(?:(?!-->)[^])*-->/g;

/** The mark with other text between it and the comment that closes it. */
export function between(whole: string, text: string): string {
  return `${whole.slice(0, whole.indexOf("-->"))}-->${text}${CLOSED}`;
}

/**
 * Refuses a page with a mark that would fill nothing in.
 *
 * @throws {Error} naming a mark that has a wrong name, no end, or no table below it; or one of a sentence that begins a
 * line, where Markdown would take the rest of the line for HTML
 */
export function requireWhole(page: string): void {
  const [first] = /^ *<!-- (?!cells:)[^:>]+:.*?-->/m.exec(page) ?? [];
  if (first !== undefined) throw new Error(`${first.trim()} begins a line: write a word of its sentence before it`);
  const whole = new Set([CELLS, VALUE, LIST].flatMap((form) => [...page.matchAll(form)].map(({ index }) => index)));
  for (const { 0: mark, 1: name = "", index } of page.matchAll(MARK)) {
    if (whole.has(index)) continue;
    if (name === "cells") throw new Error(`${mark} stands before no table`);
    if (!new RegExp(`^(value|(${GROUP}) that (${CHOICE}))$`).test(name)) {
      throw new Error(`${mark}: no mark is called so`);
    }
    throw new Error(`${mark} is not closed by ${CLOSED}`);
  }
}

/** The number in a JSON file that a mark names; undefined where it names none in such a file. */
export function jsonSource(mark: string): { readonly file: string; readonly pointer: string } | undefined {
  const [, file, pointer] = JSON_SOURCE.exec(mark.trim()) ?? [];
  return file === undefined || pointer === undefined ? undefined : { file, pointer };
}

/** The one source that a mark must have. */
export function source(mark: string): Source {
  const [only, more] = sources(mark);
  if (only === undefined || more !== undefined) throw new Error("it must have one source");
  return only;
}

/** The sources of a mark, one a column; undefined where the page keeps what it has. */
export function sources(marks: string): readonly (Source | undefined)[] {
  let file = "";
  return marks.split("|").map((mark) => {
    const text = mark.trim();
    if (text === "") return undefined;
    const [, named, row = "*", column] = SOURCE.exec(text) ?? [];
    if (column === undefined) throw new Error(`"${text}" is no source; write file[row].column`);
    if (named !== undefined && named !== "") file = named;
    if (file === "") throw new Error(`"${text}" names no file`);
    return { file, row, column };
  });
}
