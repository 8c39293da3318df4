import { obtain } from "../stages/data/parts/obtain.ts";

// The entry "font/DejaVuSans.ttf" of data.lock.
const FONT = {
  id: "font/DejaVuSans.ttf",
  source: "npm:dejavu-fonts-ttf@2.37.3/ttf/DejaVuSans.ttf",
  sha256: "7da195a74c55bef988d0d48f9508bd5d849425c1770dba5d7bfc6ce9ed848954",
  size: 757076,
};

let path: Promise<string> | undefined;

/** A file that holds the font of the figures, the same one for all tests of a process. */
export function fontFile(): Promise<string> {
  return path ??= (async () => {
    const made = await Deno.makeTempFile({ prefix: "ftim-font-" });
    for await (const { bytes } of obtain([FONT])) await Deno.writeFile(made, bytes);
    globalThis.addEventListener("unload", () => Deno.removeSync(made));
    return made;
  })();
}
