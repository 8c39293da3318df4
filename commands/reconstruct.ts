/** `reconstruct PHOTO` on the command line; what it does is in `experiments/reconstruct_photo.ts`. */
import type { Command } from "commander";
import { type Common, experimentCommand, place, stoppableOptions } from "./common.ts";

/** Adds `reconstruct`. */
export function reconstruct(program: Command): void {
  experimentCommand(program, ["reconstruct", "one photograph → the texture, albedo and textured head of each face"])
    .argument("<photo>", "a JPEG, PNG, TIFF, WebP, AVIF or GIF file", place)
    .option("--output <folder>", "where they go (default: reconstruction/<name of the photograph>)", place)
    .action(async (photo: string, { output, results, ...options }: Common & { readonly output?: string }) => {
      const { reconstructPhoto } = await import("../experiments/reconstruct_photo.ts");
      const where = output === undefined ? {} : { output };
      await reconstructPhoto({ photo, results, training: options, engine: stoppableOptions(options), ...where });
    });
}
