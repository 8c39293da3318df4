/** Several photographs of one person → one face. Photographs that plainly show somebody else are refused. */
import type { Tree } from "@ftim/pipeline";
import { cosine } from "../../face/metrics/cosine.ts";
import { readRegression } from "../../stages/faces/regression.ts";
import { type FusedView, fusedViews } from "../../stages/methods/parts/fused_views.ts";
import { type Embeddings, readEmbeddings } from "../../stages/scores/embed.ts";
import { whyLeftOut } from "../../stages/geometry/seen_skin.ts";
import { reproduce } from "../gpu_check.ts";
import { freeFaces, person, recognised } from "../photograph.ts";
import { type Computed, findIn, type Means, type Ready, sourceOf } from "./compute.ts";
import { boxInFile } from "./file_pixels.ts";
import { ReconstructError } from "./refused.ts";
import { resultOf } from "./result.ts";
import type { ViewRecord } from "./view_record.ts";
import { countText } from "./words.ts";
import type { Detection } from "../../stages/data/detect.ts";
import type { ImportedImage } from "../../stages/data/import.ts";

/** One of the photographs. */
export interface NamedPhotograph extends Ready {
  /** As the user named it. */
  readonly name: string;
}

/** One person's face. */
export interface ComputedPerson {
  readonly computed: Computed;
  /** Key of the photograph whose light and camera the result has. */
  readonly key: string;
  readonly views: readonly ViewRecord[];
}

/**
 * Cosines below which two faces are plainly two persons'. The second network's is where `test/e2e/persons_test.ts`
 * divides one person's from two persons'. The first one's is the most that it finds there for two persons who are known
 * to be two, and not half-way as there: one person from the front and from the side, turned by 70°, has 0.67, where the
 * second network says nothing any more (0.03). A photograph is refused where it is below both.
 */
const ONE_PERSON = { whole: 0.66, second: 0.61 } as const;

/**
 * Computes one face of all photographs.
 *
 * @param photos two or more, of different content
 * @throws {ReconstructError} if one shows no face, several faces, or somebody else
 */
export async function computePerson(
  photos: readonly NamedPhotograph[],
  { work, trained, regressor, size, engine }: Means,
): Promise<ComputedPerson> {
  const source = await sourceOf(photos, work);
  const found = await findIn(source, { engine, regressor });
  for (const photo of photos) await checkFaces(photo, found);
  const networks = await trained();
  const faces = freeFaces(source, networks);
  const targets = { embeddings: recognised(faces), unwrapped: faces.unwrapped };
  const { embeddings, unwrapped: seen } = (await reproduce(targets, engine)).trees;
  for (const { key, name } of photos) {
    const [why] = [...seen.skipped].flatMap(([face, text]) => face.startsWith(`${key}/`) ? whyLeftOut(text) ?? [] : []);
    if (why !== undefined) throw new ReconstructError(`${name}: its face ${why}: leave it out`);
  }
  await checkPerson(photos, embeddings);
  const { heads, regressed, pasted, fused } = person(source, networks, { size });
  const { trees } = await reproduce({ heads, regressed, pasted, fused }, engine);
  const [path] = trees.fused.paths.filter((path) => path.endsWith(".views.json"));
  const face = path!.replace(/\.views\.json$/, "");
  const parts = await fusedViews(trees.fused, face);
  const views = await Promise.all(photos.map((photo) => viewOf(photo, { parts, regressed: trees.regressed })));
  return { computed: { found, unwrapped: seen, made: trees }, key: face.split("/")[0]!, views };
}

async function viewOf(
  { key, name }: NamedPhotograph,
  { parts, regressed }: { readonly parts: readonly FusedView[]; readonly regressed: Tree },
): Promise<ViewRecord> {
  const { key: face, part } = parts.find((view) => view.key.startsWith(`${key}/`))!;
  const { angles } = await readRegression(regressed, face);
  return { photo: name, yaw: angles.yaw, share: part };
}

/** Throws where a photograph does not show one face alone. */
async function checkFaces({ key, name }: NamedPhotograph, found: Computed["found"]): Promise<void> {
  const faces = facesOf(found.meshes, key);
  // it knows why there is none
  if (faces.length === 0) await resultOf({ found, unwrapped: null, made: null }, { key, photo: name });
  if (faces.length === 1) return;
  const { faces: boxes } = await found.detections.json<Detection>(`${key}.json`);
  const { width, original } = await found.images.json<ImportedImage>(`${key}.json`);
  const places = faces.map((face) => {
    const box = boxInFile(boxes[Number(face.split("/")[1])]!, original.width / width);
    return `${Math.round(box.width)} pixels wide at ${Math.round(box.left)}, ${Math.round(box.top)}`;
  });
  throw new ReconstructError(
    `${name}: it shows ${countText(faces.length, "face")} (${places.join("; ")}), and which of them is the person is ` +
      "not known: cut out the one that is",
  );
}

/** Throws where a photograph shows somebody else than the others do. */
async function checkPerson(photos: readonly NamedPhotograph[], embeddings: Tree): Promise<void> {
  const looks = await Promise.all(photos.map(async ({ key, name }) => {
    const [face] = facesOf(embeddings, key);
    if (face === undefined) {
      throw new ReconstructError(`${name}: its face is turned so far away that nothing of its front is seen`);
    }
    return { name, look: await readEmbeddings(embeddings, face) };
  }));
  for (const [i, one] of looks.entries()) {
    const others = looks.filter((_, k) => k !== i);
    if (others.some((other) => mayBeOne(one.look, other.look))) continue;
    const [other] = others;
    if (other !== undefined && others.length === 1) {
      const found = similarity(one.look, other.look, "whole").toFixed(2);
      throw new ReconstructError(
        `${one.name} and ${other.name} plainly show two persons (similarity ${found}; of one person it is ` +
          `${ONE_PERSON.whole} or more)`,
      );
    }
    const nearest = others.map((other) => `${similarity(one.look, other.look, "whole").toFixed(2)} to ${other.name}`);
    throw new ReconstructError(
      `${one.name}: it plainly shows another person than the other ${countText(others.length, "photograph")} ` +
        `(similarity ${nearest.join(", ")}; of one person it is ${ONE_PERSON.whole} or more): leave it out`,
    );
  }
}

/** Whether one network at least takes two faces for one person. */
function mayBeOne(a: Embeddings, b: Embeddings): boolean {
  return (["whole", "second"] as const).some((network) => similarity(a, b, network) >= ONE_PERSON[network]);
}

function similarity(a: Embeddings, b: Embeddings, network: keyof typeof ONE_PERSON): number {
  return cosine(a[network]!, b[network]!);
}

/** Keys of the faces of a photograph. */
function facesOf(tree: Tree, photograph: string): string[] {
  return tree.paths.filter((path) => path.startsWith(`${photograph}/`) && path.endsWith(".safetensors"))
    .map((path) => path.replace(/\.safetensors$/, ""));
}
