/** Khronos's glTF validator, for tests. */
import assert from "node:assert/strict";
import { validateBytes } from "gltf-validator";
import { z } from "zod";

const report = z.object({
  issues: z.object({
    messages: z.array(z.object({ code: z.string(), message: z.string(), pointer: z.string().optional() })),
  }),
  info: z.object({ extensionsUsed: z.array(z.string()).default([]) }),
});

/**
 * Asserts that the validator finds no error, no warning and nothing else to say of a GLB file.
 *
 * @returns names of the extensions that the file uses
 */
export async function assertValidGlb(bytes: Uint8Array, name: string): Promise<readonly string[]> {
  const { issues, info } = report.parse(await validateBytes(bytes));
  assert.deepEqual(issues.messages, [], name);
  return info.extensionsUsed;
}
