/** The engine as commands run it, for tests that run the product's stages. */
import { type Options, silentReporter } from "@ftim/pipeline";
import { checkGpu } from "../experiments/gpu_check.ts";

/** Options of an engine that says nothing and asks the GPU after each call of a stage that computes there. */
export function quietEngine(store: string): Options {
  return { store, reporter: silentReporter(), checkGpu };
}
