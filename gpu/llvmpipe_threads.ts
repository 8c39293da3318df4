/**
 * llvmpipe, Mesa's software Vulkan driver, cuts each dispatch into as many equal shares as it has threads, one a core,
 * and waits for all of them. When another process, or our own JavaScript, takes a core meanwhile, the other core idles;
 * and of five workgroups one core gets two and the other three. More threads than cores make smaller shares, which the
 * kernel's scheduler spreads evenly. Which thread runs an invocation changes no result.
 */

import { defaultVariable } from "./environment_variable.ts";

/** Mesa takes no more (its docs/drivers/llvmpipe.rst). */
const MOST_THREADS = 32;
const THREADS_PER_CORE = 4;

/**
 * Has llvmpipe start several threads a core, unless the environment says how many. To be called before the first
 * adapter is asked for; no other driver minds.
 */
export function setLlvmpipeThreads(): void {
  defaultVariable("LP_NUM_THREADS", String(llvmpipeThreads(navigator.hardwareConcurrency)));
}

/** How many threads for so many cores. */
export function llvmpipeThreads(cores: number): number {
  return Math.max(1, Math.min(MOST_THREADS, THREADS_PER_CORE * cores));
}
