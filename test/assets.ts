/**
 * The packaged files of data.lock for tests: verified, through the same code and cache as the fetch stage, so that they
 * are fetched once and tests run offline after that.
 */

import { parseDataLock } from "../stages/data/parts/data_lock.ts";
import { obtain } from "../stages/data/parts/obtain.ts";

const lock = parseDataLock(await Deno.readTextFile(new URL("../data.lock", import.meta.url)));

/**
 * The bytes of one file.
 *
 * @param id its id in data.lock, for example `models/facemesh.bin` or `train/franck/franck_01829.jpg`
 * @throws if there is no such id, or the file cannot be had as data.lock describes it
 */
export async function asset(id: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = lock.assets.get(id);
  if (file === undefined) throw new Error(`data.lock has no "${id}"`);
  for await (const { bytes } of obtain([file], { neighbours: [...lock.assets.values()] })) return bytes;
  throw new Error(`data.lock: "${id}" was not obtained`);
}

/** The ids that begin with `prefix`, for example `test/`, sorted. */
export function assetIds(prefix: string): string[] {
  return [...lock.assets.keys()].filter((id) => id.startsWith(prefix));
}
