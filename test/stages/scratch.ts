/** A folder and a store of their own for a test, and running stages in them. */
import type { Artifact, Reproduction } from "@ftim/pipeline";
import { reproduce } from "@ftim/pipeline";
import { quietEngine } from "../engine.ts";

/** What a test gets. */
export interface Scratch {
  /** An empty folder. */
  readonly folder: string;
  /** Writes a file of the folder, with its parents. */
  write(path: string, content: Uint8Array | string): Promise<void>;
  /** Runs stages with a store inside of the folder's sibling. */
  run<T extends Readonly<Record<string, Artifact>>>(targets: T): Promise<Reproduction<T>>;
}

/** Calls `use` with a scratch folder and removes everything afterwards. */
export async function withScratch(use: (scratch: Scratch) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "ftim-" });
  const folder = `${root}/data`;
  await Deno.mkdir(folder);
  try {
    await use({
      folder,
      async write(path, content) {
        const full = `${folder}/${path}`;
        await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
        await Deno.writeFile(full, typeof content === "string" ? new TextEncoder().encode(content) : content);
      },
      run: (targets) => reproduce(targets, quietEngine(`${root}/store`)),
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
