/** The golden files of test/golden/torch_files.py and array_files.py as sources, with what they hold. */
import { bytesSource, type TensorSource } from "../../../nets/files/source.ts";
import type { TensorFile } from "../../../nets/files/open_tensors.ts";
import arrays from "../../golden/files/arrays.json" with { type: "json" };
import torch from "../../golden/files/torch.json" with { type: "json" };

/** What a file says of a tensor, with its values. */
export interface Told {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Tensors by name. */
export type Contents = Readonly<Record<string, Told>>;

const told: Readonly<Record<string, Contents | string>> = arrays;

/** What each golden file holds. */
export const GOLDEN: Readonly<Record<string, Contents>> = {
  // a name stands for what the file of that name holds
  ...Object.fromEntries(
    Object.entries(told).map(([name, holds]) => [name, (typeof holds === "string" ? told[holds] : holds) as Contents]),
  ),
  "torch_zip.pth": torch,
  "torch_old.pth": torch,
};

const FOLDER = new URL("../../golden/files/", import.meta.url);

/** The bytes of a golden file. */
export function goldenBytes(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, FOLDER));
}

/** Bytes under a golden file's name, with the golden files beside them. */
export function besideGolden(name: string, bytes: Uint8Array<ArrayBuffer>): TensorSource {
  return {
    ...bytesSource(bytes, name),
    beside(other) {
      const known = /^(snappy|checkpoint)\.data-00000-of-00001$|^outside\.onnx\.data$/.test(other);
      return Promise.resolve(known ? bytesSource(goldenBytes(other), other) : null);
    },
  };
}

/** A golden file. */
export function golden(name: string): TensorSource {
  return besideGolden(name, goldenBytes(name));
}

/** All that a file holds, as the golden values are written. */
export async function contentsOf(file: TensorFile): Promise<Record<string, Told>> {
  const contents: Record<string, Told> = {};
  for (const [name, { dtype, shape }] of file.tensors) {
    contents[name] = { dtype, shape: [...shape], values: Array.from(await file.read(name), Number) };
  }
  return contents;
}
