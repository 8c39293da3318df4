/**
 * Whether a file holds the trained networks that reconstruction needs. The committed one has its sha256 in
 * `trained.sha256` beside it, and every one has that of its values in itself, since damaged weights give a wrong face
 * and no error. A training of the user's own is checked for what it must contain, too.
 */
import { dirname, join } from "node:path";
import { sha256 } from "@ftim/pipeline";
import { decodeCorrection } from "../../face/mesh_correction.ts";
import { decodeMorphable } from "../../face/morphable.ts";
import { ftimParameters } from "../../nets/ftim.ts";
import { decodeSafetensors, safetensorsMetadata, tensorBytes, type TensorRecord } from "../../nets/safetensors.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { HASH_FILE } from "./hash_file.ts";
import { isDenied, ReconstructError } from "./refused.ts";

/** What the packed albedo basis is scaled back with, which the model itself does not name. */
const SCALES = "model/albedoBasis.scale";

/**
 * Checks a packed training.
 *
 * @param restore what the user can do where it is damaged
 * @throws {ReconstructError} if it is absent, is not what its hash says, or is no training
 */
export async function checkTrained(path: string, { restore }: { readonly restore: string }): Promise<void> {
  const bytes = await readFile(path);
  const refuse = (why: string) => new ReconstructError(`${path} ${why}. ${restore}`);
  const text = new TextDecoder().decode(bytes.subarray(0, 40));
  if (text.startsWith("version https://git-lfs")) {
    throw refuse("is a pointer of Git LFS and not the trained networks themselves");
  }
  const fault = formFault(bytes);
  if (fault !== null) throw refuse(fault);
  const expected = await hashBeside(path);
  if (expected !== null && sha256(bytes) !== expected) {
    throw refuse(`is damaged: its content is not that of which ${HASH_FILE} has the hash`);
  }
  const metadata = safetensorsMetadata(bytes);
  // a hash of the whole file says as much of its values
  if (expected === null && metadata.sha256 !== undefined && metadata.sha256 !== sha256(tensorBytes(bytes))) {
    throw refuse("is damaged: its values are not those that it has the hash of");
  }
  try {
    checkContent(decodeSafetensors(bytes), metadata);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ReconstructError(`${path} holds no trained networks that fit this version: ${why}. ${restore}`, {
      cause,
    });
  }
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    if (!isFile && !isDirectory) throw new ReconstructError(`${path} is no file`);
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new ReconstructError(`${path}: there is no such file`);
    if (error instanceof Deno.errors.IsADirectory) {
      throw new ReconstructError(`${path} is a folder: name the file in it`);
    }
    if (isDenied(error)) throw new ReconstructError(`${path}: you may not read it`);
    throw error;
  }
}

/** The hash of a file that lies beside it, or null where none does. */
async function hashBeside(path: string): Promise<string | null> {
  try {
    const text = await Deno.readTextFile(join(dirname(path), HASH_FILE));
    return /^[0-9a-f]{64}/.exec(text)?.[0] ?? null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** What keeps bytes from being a whole safetensors file, in words for who has it on disk; null: nothing. */
function formFault(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "is empty";
  const foreign = "is no safetensors file, or damaged at its beginning";
  if (bytes.length < 8) return foreign;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (bytes[8] !== 0x7b || length > 100_000_000) return foreign;
  if (8 + length > bytes.length) return "is cut short: it ends within its table of contents";
  const contents = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  const ends = [...contents.matchAll(/"data_offsets":\[\d+,(\d+)\]/g)].map(([, end]) => Number(end));
  const whole = 8 + length + ends.reduce((most, end) => Math.max(most, end), 0);
  if (bytes.length < whole) return `is cut short: ${bytes.length} of ${whole} bytes are there`;
  try {
    safetensorsMetadata(bytes);
    return null;
  } catch {
    // the reader's words are of offsets and headers
    return "is damaged: its table of contents contradicts itself";
  }
}

/** Throws where networks, model or correction are not there, do not fit each other, or hold what is no number. */
function checkContent(tensors: TensorRecord, metadata: Readonly<Record<string, string>>): void {
  const network = below("network/", tensors);
  const shape = ftimStoredShape.safeParse(JSON.parse(metadata.shape ?? "null"));
  if (!shape.success) throw new TypeError("it does not say the network's sizes");
  for (const [name, { shape: dims }] of Object.entries(ftimParameters(shape.data))) {
    if (network[name]?.shape.join() !== dims.join()) {
      throw new TypeError(`the network's "${name}" is not there, or of another size`);
    }
  }
  const { albedoBasis, ...model } = below("model/", tensors);
  if (!(albedoBasis?.data instanceof Uint8Array) || tensors[SCALES] === undefined) {
    throw new TypeError("it has no face model");
  }
  decodeMorphable({ ...model, albedoBasis: { data: new Float32Array(albedoBasis.data) } });
  const correction = below("correction/", tensors);
  if (correction.coefficients === undefined) {
    throw new TypeError("it has no mesh correction: an earlier version made it");
  }
  decodeCorrection(correction);
  const odd = Object.entries(tensors).find(([, { data }]) =>
    data instanceof Float32Array && !data.every(Number.isFinite)
  );
  if (odd !== undefined) throw new TypeError(`"${odd[0]}" holds values that are no numbers`);
}

function below(prefix: string, tensors: TensorRecord): TensorRecord {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
