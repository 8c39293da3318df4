/** Whether the process's one GPU did what stages asked of it: the engine's `checkGpu` wherever stages may run there. */

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
