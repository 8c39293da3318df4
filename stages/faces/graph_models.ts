/** Reading tfjs graph models from artifacts. */
import type { GraphModelFiles } from "../../nets/graph_model.ts";
import type { Tree } from "@ftim/pipeline";

/** A graph model whose tree holds one `.json` and one `.bin` file. */
export async function readGraphModel(assets: Tree): Promise<GraphModelFiles> {
  const path = (ending: string) => {
    const found = assets.paths.filter((name) => name.endsWith(ending));
    if (found.length !== 1) throw new Error(`A graph model is one ${ending} file, but there are ${found.length}`);
    return found[0]!;
  };
  return { model: await assets.bytes(path(".json")), weights: await assets.bytes(path(".bin")) };
}
