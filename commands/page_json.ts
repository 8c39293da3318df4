/** What published JSON files say for a page's marks. */
import { formOf } from "./page_tables.ts";

/**
 * A number, or the length of a list, in the form of `like`; a share is shown in percent where `like` is.
 *
 * @param pointer a JSON pointer (RFC 6901)
 * @throws {Error} if there is neither a number nor a list
 */
export function jsonNumber(
  text: string,
  { file, pointer, like }: { readonly file: string; readonly pointer: string; readonly like: string },
): string {
  let value: unknown = JSON.parse(text);
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    value = typeof value === "object" && value !== null
      ? Object.entries(value).find(([key]) => key === name)?.[1]
      : undefined;
  }
  const number = Array.isArray(value) ? value.length : value;
  if (typeof number !== "number") throw new Error(`results/${file} has no number at ${pointer}`);
  const { digits, unit } = formOf(like);
  return `${((unit === " %" ? 100 : 1) * number).toFixed(digits)}${unit}`;
}
