/** LPIPS's network, which everybody can get and no package that we fetch has. */
import type { Artifact } from "@ftim/pipeline";
import { asset, dataLock, isPresent } from "../stages/data/fetch.ts";
import { absentMessage, AssetError, defaultDataFolder } from "../stages/data/parts/obtain.ts";

const NETWORK = "lpips/lpips_alex.safetensors";

/** Where it is. */
export interface LpipsOptions {
  /** The folder of the user's own files. Default `data`. */
  data?: string | undefined;
}

/** The network as an artifact. */
export function lpipsNetwork({ data = defaultDataFolder }: LpipsOptions): Artifact<"assets"> {
  return asset(NETWORK, { dataFolder: data });
}

/**
 * Looks for the network before anything is computed.
 *
 * @throws {AssetError} saying how to get it, if it is absent
 */
export function requireLpipsNetwork({ data = defaultDataFolder }: LpipsOptions): void {
  if (isPresent(NETWORK, { dataFolder: data })) return;
  throw new AssetError(absentMessage(dataLock().assets.get(NETWORK)!, data));
}
