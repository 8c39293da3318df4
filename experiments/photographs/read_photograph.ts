/** The bytes of a photograph's file. */
import { ReconstructError } from "./refused.ts";

/** A larger file is no photograph, or none that can be decoded in memory. */
const MAX_BYTES = 2e9;

/**
 * Reads a photograph's file.
 *
 * @param photo as the user named it
 * @throws {ReconstructError} if it is too large
 */
export async function readPhotograph(path: string, photo: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await Deno.stat(path);
  if (size <= MAX_BYTES) return await Deno.readFile(path);
  throw new ReconstructError(`${photo}: ${Math.round(size / 1e9)} GB are too many for a photograph: export it as JPEG`);
}
