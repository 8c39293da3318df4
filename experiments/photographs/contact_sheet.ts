/** `index.html`: all results that lie in a folder, on one page that needs nothing but the files beside it. */
import { join } from "node:path";
import { replaceFile, sha256 } from "@ftim/pipeline";
import type { Head } from "../../stages/methods/head.ts";
import { FACE_FILES, FACE_RECORD, PAGE, PASTED, readRecord } from "./owner.ts";
import { faceFolder } from "./result.ts";
import { ReconstructError } from "./refused.ts";
import { countText, faceNotes } from "./words.ts";

/** The line of a page with the hash of all its other lines: a page that it fits is ours, and nobody has edited it. */
const MARK = /<meta name="generator" content="ftim reconstruct ([0-9a-f]{64})">\n/;

/**
 * Throws where a page of somebody else's is in the place of ours.
 *
 * @throws {ReconstructError}
 */
export async function checkSheet(folder: string): Promise<void> {
  const path = join(folder, PAGE);
  if (await isOurs(path) !== false) return;
  throw new ReconstructError(
    `${path} is there, and no earlier run made it so: move it away, or name another --output`,
  );
}

/** Shows the results of a folder on the page that an earlier run has made there, if there is one. */
export async function renewSheet(folder: string): Promise<void> {
  if (await isOurs(join(folder, PAGE)) === true) await writeSheet(folder, { failed: [] });
}

/** Whether an earlier run made a page, and nobody changed it; null: there is none. */
export async function isOurs(path: string): Promise<boolean | null> {
  try {
    if (!(await Deno.lstat(path)).isFile) return false;
    const text = await Deno.readTextFile(path);
    return MARK.exec(text)?.[1] === hashOf(text.replace(MARK, ""));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/**
 * Writes the page of all results in a folder.
 *
 * @param failed photographs of this run without a result, and why
 * @returns its path
 */
export async function writeSheet(
  folder: string,
  { failed }: { readonly failed: readonly { readonly photo: string; readonly reason: string }[] },
): Promise<string> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) if (isDirectory) names.push(name);
  const sections: string[] = [];
  for (const name of names.sort()) sections.push(...await sectionOf(folder, name));
  const failures = failed.map(({ reason }) => `<li>${escaped(reason)}</li>`).join("\n");
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Reconstructed faces</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; background: #fff; color: #222 }
section { border-top: 1px solid #ccc; padding: 1em 0 }
h2 { font-size: 1em; margin: 0 0 .5em }
.row { display: flex; flex-wrap: wrap; gap: 1em; align-items: start }
figure { margin: 0; max-width: 320px }
figcaption { font-size: .85em; color: #555 }
p { margin: 0 }
img { height: 160px; max-width: 320px; object-fit: contain; background: #eee }
</style>
</head>
<body>
<h1>${countText(sections.length, "photograph")}</h1>
${sections.join("\n")}
${failures === "" ? "" : `<section><h2>Without a result</h2>\n<ul>\n${failures}\n</ul></section>`}
</body>
</html>
`;
  const path = join(folder, PAGE);
  const mark = `<meta name="generator" content="ftim reconstruct ${hashOf(page)}">`;
  await replaceFile(path, new TextEncoder().encode(page.replace("<title>", `${mark}\n<title>`)));
  return path;
}

const hashOf = (page: string) => sha256(new TextEncoder().encode(page));

async function sectionOf(folder: string, name: string): Promise<string[]> {
  const record = await readRecord(join(folder, name));
  // another command's results have the same record
  if (record?.files[PASTED] === undefined) return [];
  const count = Object.keys(record.files).filter((path) => path.split("/").at(-1) === FACE_RECORD).length;
  const figures = [figure(name, PASTED, "photograph with the face masks")];
  for (let face = 0; face < count; face++) {
    const below = faceFolder(face, count);
    const known = await notesIn(join(folder, name, below + FACE_RECORD));
    if (known === null) {
      figures.push(`<p>${escaped(below + FACE_RECORD)} is damaged: reconstruct the photograph again</p>`);
      continue;
    }
    const links = FACE_FILES.filter((file) => !file.endsWith(".png") && record.files[below + file] !== undefined)
      .map((file) => `<a href="${linkTo(name, below + file)}">${file}</a>`);
    figures.push(
      figure(name, `${below}overlay.png`, known),
      figure(name, `${below}texture.png`, "texture"),
      figure(name, `${below}albedo.png`, "albedo; its tone is not the person's"),
      `<p>${links.join("<br>")}</p>`,
    );
  }
  return [`<section><h2>${escaped(name)}</h2>\n<div class="row">\n${figures.join("\n")}\n</div></section>`];
}

/** What a person should know of a face; null where its file is gone or damaged. */
async function notesIn(path: string): Promise<string | null> {
  try {
    return faceNotes(JSON.parse(await Deno.readTextFile(path)) as Head).join(", ");
  } catch {
    // a page of all results is no reason to fail, and it says so
    return null;
  }
}

function figure(name: string, path: string, caption: string): string {
  const to = linkTo(name, path);
  return `<figure><a href="${to}"><img loading="lazy" src="${to}" alt="${caption}"></a>` +
    `<figcaption>${escaped(caption)}</figcaption></figure>`;
}

function linkTo(...names: readonly string[]): string {
  return names.flatMap((name) => name.split("/")).map(encodeURIComponent).join("/").replaceAll("'", "%27");
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
