/** What the failure of a stage's call means for the run, and what the GPU says of it. */
import { AbortedError, CodeChangedError, InputChangedError, messageOf, StageError, StoreError } from "./errors.ts";
import type { Action, Job } from "./job.ts";
import { OverdueError, withinLimit } from "./limit.ts";
import { corruption } from "./tree.ts";

/** Inputs turned out to be damaged or gone; their producers must run again, then this stage's look-up starts over. */
export class DamagedInput extends Error {
  readonly blobs: readonly string[];
  constructor(blobs: readonly string[]) {
    super(`damaged or missing input ${blobs.join(", ")}`);
    this.blobs = blobs;
  }
}

/** The GPU says that work on it went wrong. It does not say whose. */
class GpuFault extends Error {}

/**
 * Asks whether the GPU's work went well, for as long as a call of the stage may take: what a stage leaves on the GPU is
 * its work, too.
 *
 * @throws {GpuFault} with what the GPU says
 */
export async function askGpu({ session, label, node: { stage } }: Job): Promise<void> {
  try {
    const ask = async () => await session.checkGpu(label);
    await withinLimit(ask, { seconds: stage.timeLimit, signal: session.signal, leave: true });
  } catch (error) {
    if (error instanceof AbortedError) throw error;
    if (error instanceof OverdueError) throw new GpuFault(`the GPU does not come to an end: it ${error.message}`);
    throw new GpuFault(messageOf(error), { cause: error });
  }
}

/** What the engine raises on purpose and who runs the stage must see as it is. */
const KNOWN = [DamagedInput, InputChangedError, StoreError, CodeChangedError, StageError, AbortedError];

interface FailureOptions {
  readonly job: Job;
  readonly actions: readonly Action[];
  /** What the call shared with others; absent where it had come to its end before. */
  readonly shared?: { readonly gpu: boolean; readonly atWork: ReadonlySet<Action> };
}

/**
 * What a failure means for the run. What a stage threw is led by what the GPU says, because where a stage fails on a
 * device that was lost means nothing, and then names all items that were worked on.
 */
export async function asFailure(error: unknown, { job, actions, shared }: FailureOptions): Promise<unknown> {
  const { session, label } = job;
  const damaged = corruption(error);
  if (damaged !== null) return new DamagedInput([damaged.sha256]);
  if (KNOWN.some((kind) => error instanceof kind)) return error;
  if (session.signal.aborted) return new AbortedError("interrupted", { cause: error });
  const asked = shared?.gpu === true && !(error instanceof OverdueError);
  // what others work on may be done by the time the GPU has answered
  const beside = asked ? shared.atWork.difference(new Set(actions)) : new Set<Action>();
  const fault = asked ? await faultOf(error, job) : null;
  const about = [...actions, ...fault === null ? [] : beside];
  const items = about.flatMap(({ item }) => item ?? []);
  if (fault === null || fault === error) {
    const cause = error instanceof GpuFault ? error.cause : error;
    return new StageError(label, messageOf(error), { cause, items });
  }
  const message = `${fault.message}; it then failed with: ${messageOf(error)}`;
  return new StageError(label, message, { cause: error, items });
}

/** What the GPU says of a failure: null where it knows of nothing that the failure does not say itself. */
async function faultOf(error: unknown, job: Job): Promise<GpuFault | null> {
  if (error instanceof GpuFault) return error;
  const found = await askGpu(job).then(() => null, (thrown: unknown) => thrown);
  return found instanceof GpuFault && !messageOf(error).includes(found.message) ? found : null;
}
