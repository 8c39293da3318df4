/**
 * Writes photographs of data.lock as PNG into a folder, with the pixels that our decoder gives, for golden programs in
 * Python: `deno run -A test/golden/photographs.ts FOLDER SIDE ID…`, where SIDE is the longest side that is not
 * reduced. A slash of an id becomes two dashes.
 */
import { join } from "node:path";
import { decodePixels, encodePng } from "../../stages/faces/photograph.ts";
import { asset } from "../assets.ts";

const [folder, side, ...ids] = Deno.args;
if (folder === undefined || ids.length === 0) {
  throw new Error("Name a folder, the longest side and the ids of photographs");
}
await Deno.mkdir(folder, { recursive: true });
for (const id of ids) {
  const { image } = await decodePixels(await asset(id), { path: id, maxSide: Number(side) });
  await Deno.writeFile(join(folder, `${id.replaceAll("/", "--")}.png`), await encodePng(image));
}
