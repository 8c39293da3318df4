// What three.js sees in a GLB file, for tests.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const THREE = "npm:three@0.180.0";

/** A point of a picture or of a face seen from the front. */
export type Point = readonly [x: number, y: number];

/** What `read.ts` prints. */
export interface Seen {
  readonly others: number;
  readonly material: string;
  readonly userData: { readonly [key: string]: unknown };
  readonly map: {
    readonly colorSpace: string;
    readonly flipY: boolean;
    readonly width: number;
    readonly height: number;
  };
  readonly position: readonly number[];
  readonly normal: readonly number[];
  readonly uv: readonly number[];
  readonly index: readonly number[];
  /** For each point the place in the texture's image, 0..1 from its upper left; null where nothing is seen. */
  readonly front: readonly (Point | null)[];
  readonly back: readonly (Point | null)[];
}

/**
 * Reads a GLB file with three.js.
 *
 * @param points where to look at it from the front and from behind, metres to the right and up as seen from the front
 */
export async function readWithThree(glb: Uint8Array, points: readonly Point[] = []): Promise<Seen> {
  const [lock, program] = ["deno.lock", "read.ts"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-check", `--lock=${lock}`, "--frozen", program!, THREE, JSON.stringify(points)],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(glb));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}
