import { dirname, join } from "node:path";
import { dataLock } from "../../stages/data/fetch.ts";

/** Puts an empty file in the place of each of the comparators' networks, so that their stages are in a graph. */
export function putNetworkFiles(folder: string): void {
  for (const { source } of dataLock().assets.values()) {
    if (!/^user:(bfm|chen|deca|deng|flame|tran)\//.test(source)) continue;
    const path = join(folder, source.slice("user:".length), source.endsWith("/") ? "empty" : "");
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, "");
  }
}
