/** SHA-256 and canonical JSON (RFC 8785): the only two ways in which anything here gets a name. */
import canonicalize from "canonicalize";
import { createHash } from "node:crypto";

/** Hex SHA-256 of bytes or of the UTF-8 form of a string. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * Canonical JSON of a value: sorted keys, one number format, no spaces.
 * @throws {TypeError} for what JSON cannot say (undefined, functions, NaN, infinities).
 */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("this value has no JSON form");
  return text;
}

export { hashFile, hashFileSync } from "./hash_file.ts";
