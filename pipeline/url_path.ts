/** The path of a `file:` URL as Deno takes it: a "%" that encodes nothing stands for itself. */
import { fileURLToPath } from "node:url";

/** A path, absolute, of a `file:` URL. Throws a `TypeError` for another URL. */
export function urlPath(url: string | URL): string {
  return fileURLToPath(String(url).replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}
