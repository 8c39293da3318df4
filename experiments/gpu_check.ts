/** The engine for the product's stages: it asks after each call whether the GPU did what the stage asked of it. */
import * as engine from "@ftim/pipeline";
import type { Artifact, Options, Reproduction, Verification, VerifyOptions } from "@ftim/pipeline";

/**
 * Throws if any work on the GPU went wrong since it was last asked. The device is opened only now, so that a command
 * which computes nothing needs none.
 *
 * @param stage names the work in the error
 */
export async function checkGpu(stage: string): Promise<void> {
  const { openGpu } = await import("@ftim/gpu/device");
  await (await openGpu()).assertHealthy(stage);
}

/** As the engine's, with {@link checkGpu} where the options name no other check. */
export function reproduce<T extends Readonly<Record<string, Artifact>>>(
  targets: T,
  options: Options = {},
): Promise<Reproduction<T>> {
  return engine.reproduce(targets, { checkGpu, ...options });
}

/** As the engine's, with {@link checkGpu} where the options name no other check. */
export function verify(
  targets: Readonly<Record<string, Artifact>>,
  options: VerifyOptions = {},
): Promise<readonly Verification[]> {
  return engine.verify(targets, { checkGpu, ...options });
}
