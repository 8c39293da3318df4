/** Takes an object from elsewhere into the store: hashed on its way, in pieces if large, refused if it differs. */
import { createHash } from "node:crypto";
import { checkBlob, commit, type Digest, quarantine, stageBytes } from "./blobs.ts";
import { type Chunks, collect } from "./chunks.ts";
import { BadObjectError, explainStoreFailure } from "./errors.ts";
import { sha256 } from "./hash.ts";
import type { Store } from "./store.ts";

/** Objects up to this size (in bytes) are taken in one piece, which is faster. */
const SMALL = 1 << 20;

/**
 * Makes an object a blob of the store.
 * @throws {BadObjectError} where it is not what its digest says; `from` names the place in the message.
 */
export async function receive(
  chunks: Chunks,
  { store, blob, from }: { readonly store: Store; readonly blob: Digest; readonly from: string },
): Promise<void> {
  if (blob.size > SMALL) return await receiveLarge(chunks, { store, blob, from });
  const bytes = await collect(chunks, { limit: blob.size, what: `${from}: object ${blob.sha256}` });
  if (bytes.length !== blob.size || sha256(bytes) !== blob.sha256) throw damaged(blob, from);
  await commit(store, [stageBytes(store, bytes)]);
}

async function receiveLarge(
  chunks: Chunks,
  { store, blob, from }: { readonly store: Store; readonly blob: Digest; readonly from: string },
): Promise<void> {
  const temporary = `${store.temporary}/${crypto.randomUUID()}`;
  const hash = createHash("sha256");
  let size = 0;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o444 });
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > blob.size) throw damaged(blob, from);
        hash.update(chunk);
        for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
      }
    }
    if (size !== blob.size || hash.digest("hex") !== blob.sha256) throw damaged(blob, from);
    const found = await checkBlob(store, blob);
    if (found === "corrupt") quarantine(store, blob.sha256);
    if (found !== "ok") return await commit(store, [{ ...blob, temporary }]);
    await Deno.remove(temporary);
  } catch (error) {
    await Deno.remove(temporary).catch(() => null);
    throw explainStoreFailure(error, store.root);
  }
}

function damaged({ sha256 }: Digest, from: string): BadObjectError {
  return new BadObjectError(`${from}: object ${sha256} is damaged`);
}
