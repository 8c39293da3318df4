/**
 * What becomes of a run that cannot download LPIPS's network: PyPI is the one source of it, and a machine may not reach
 * PyPI while it has all else.
 */
import { lpipsDownloadFailure } from "../experiments/lpips_network.ts";
import { LPIPS, type Published } from "./common.ts";

interface Attempt {
  /** Computes and publishes what is named. */
  readonly make: (names: readonly Published[]) => Promise<void>;
  readonly warn: (message: string) => void;
}

/**
 * Makes what is named. Where only LPIPS's network cannot be downloaded, all that does not need it is made, and then the
 * failure is said once more.
 *
 * @throws what `make` throws; an error about the network, if all else was made
 */
export async function leaveOutLpips(names: readonly Published[], { make, warn }: Attempt): Promise<void> {
  try {
    await make(names);
  } catch (error) {
    const why = lpipsDownloadFailure(error);
    const others = names.filter((name) => !LPIPS.includes(name));
    if (why === null || others.length === 0) throw error;
    warn(`LPIPS is left out, and all else is made. ${why}`);
    await make(others);
    throw new Error(
      `LPIPS alone is missing; its files in the results are of an earlier run, if there are any. ${why}`,
      { cause: error },
    );
  }
}
