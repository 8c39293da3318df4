/**
 * A training run's state on disk: parameters, Adam's moments, the mean of the weights, the step and the losses so far,
 * in one safetensors file.
 */
import { join } from "node:path";
import { parametersFrom, type ParameterSpec, type ParameterValues } from "../../../nets/parameters.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../../nets/safetensors.ts";

/** The losses of one step by name. */
export type LossRow = { step: number } & Record<string, number>;

/** A training run at the end of a step. */
export interface Checkpoint {
  /** Steps taken. */
  steps: number;
  parameters: ParameterValues;
  /** Adam's moments, named `m/<parameter>` and `v/<parameter>`. */
  state: ParameterValues;
  /** The mean of the weights over the last steps. */
  average: ParameterValues;
  rows: LossRow[];
}

const NAME = "checkpoint.safetensors";
/** What the names of mean weights begin with. */
const MEAN = "mean/";

/** Writes a checkpoint; it replaces the earlier one only when it is whole. */
export async function writeCheckpoint(
  folder: string,
  { steps, parameters, state, average, rows }: Checkpoint,
): Promise<void> {
  const tensors = Object.fromEntries(
    Object.entries({ ...parameters, ...state, ...renamed(average, (name) => `${MEAN}${name}`) })
      .map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
  );
  const path = join(folder, NAME);
  await Deno.writeFile(`${path}.tmp`, encodeSafetensors(tensors, { steps: String(steps), rows: JSON.stringify(rows) }));
  await Deno.rename(`${path}.tmp`, path);
}

/**
 * Reads the checkpoint of a folder; null if there is none. One that cannot be read is reported and left aside: training
 * then starts anew, which costs time and nothing else.
 *
 * @param options.specs the parameters that it must hold
 */
export async function readCheckpoint(
  folder: string,
  { specs, log }: { specs: Record<string, ParameterSpec>; log: (line: string) => void },
): Promise<Checkpoint | null> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(join(folder, NAME));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    const record = decodeSafetensors(bytes);
    const { steps, rows = "[]" } = safetensorsMetadata(bytes);
    const moments = { ...renamed(specs, (name) => `m/${name}`), ...renamed(specs, (name) => `v/${name}`) };
    const means = parametersFrom(record, renamed(specs, (name) => `${MEAN}${name}`));
    return {
      steps: Number(steps),
      parameters: parametersFrom(record, specs),
      state: parametersFrom(record, moments),
      average: renamed(means, (name) => name.slice(MEAN.length)),
      rows: JSON.parse(rows),
    };
  } catch (error) {
    log(`the checkpoint in ${folder} cannot be read (${(error as Error).message}); starting anew`);
    return null;
  }
}

function renamed<T>(record: Record<string, T>, name: (old: string) => string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([old, value]) => [name(old), value]));
}
