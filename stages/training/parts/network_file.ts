/**
 * A trained network as a file: parameters as safetensors, and in its metadata the sizes that the network must be built
 * with. It is kept apart from what draws pictures with a network, so that a change there does not put a training out of
 * date.
 */
import type { ParameterValues } from "../../../nets/parameters.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  safetensorsMetadata,
  type TensorRecord,
} from "../../../nets/safetensors.ts";

/** Trained parameters as a file; `shape` is what the network must be built with. */
export function encodeNetwork(parameters: ParameterValues, shape: unknown): Uint8Array {
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape: dims, data }]) => [name, { shape: [...dims], data }]),
  );
  return encodeSafetensors(tensors, { shape: JSON.stringify(shape) });
}

/** What `encodeNetwork` wrote; `shape` is not checked. */
export function decodeNetwork(bytes: Uint8Array): { shape: unknown; tensors: TensorRecord } {
  return { shape: JSON.parse(safetensorsMetadata(bytes).shape ?? "null"), tensors: decodeSafetensors(bytes) };
}
