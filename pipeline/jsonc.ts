/** JSON as configuration files write it. */

/** Reads JSON with comments and trailing commas. Throws a `SyntaxError` where it is malformed. */
export function parseJsonc<T>(text: string): T {
  const strings = '("(?:\\\\.|[^"\\\\])*")';
  const bare = text.replaceAll(new RegExp(`${strings}|//[^\\n]*|/\\*[^]*?\\*/`, "g"), "$1");
  return JSON.parse(bare.replaceAll(new RegExp(`${strings}|,(?=\\s*[}\\]])`, "g"), "$1"));
}
