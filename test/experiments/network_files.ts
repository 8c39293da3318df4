import { dirname, join } from "node:path";
import { dataLock } from "../../stages/data/fetch.ts";

/** Puts an empty file in the place of each that `paper` can do without, so that what reads it is in a graph. */
export function putOptionalFiles(folder: string): void {
  for (const { source } of dataLock().assets.values()) {
    if (!/^user:((bfm|chen|deca|deng|facenet|flame|tran)\/|facescape\/(Rt_scale|publishable))/.test(source)) continue;
    const path = join(folder, source.slice("user:".length), source.endsWith("/") ? "empty" : "");
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, "");
  }
}
