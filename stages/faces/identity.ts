/** Opening the 128-d recognition network from an artifact, for the stages whose losses look through it. */
import { openRecognition128, type Recognition128 } from "../../nets/recognition128.ts";
import type { Tree } from "@ftim/pipeline";

/** The 128-d network from its manifest and weights. */
export async function openIdentity(assets: Tree): Promise<Recognition128> {
  const bytes = (ending: string) => {
    const path = assets.paths.find((name) => name.endsWith(ending));
    if (path === undefined) throw new Error(`The identity network lacks its ${ending} file`);
    return assets.bytes(path);
  };
  return openRecognition128({ manifest: await bytes(".json"), weights: await bytes(".bin") });
}
