/** How a file was made, read out of the RO-Crates that lie beside it: for those who do not have its store. */
import { dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Crate, Entity } from "./crate.ts";
import { PipelineError } from "./errors.ts";
import { hashFile } from "./hash.ts";

/**
 * The chain of stages behind a file, by a crate of its folder or of the folder above. Matched by content.
 *
 * @returns null where no crate there lists the file's content
 */
export async function crateText(path: string): Promise<string | null> {
  const { sha256, size } = await hashFile(path);
  for (const file of cratesNear(path)) {
    const crate = openCrate(file);
    const entity = crate.entities.find((entity) => isFile(entity) && entity.sha256 === sha256);
    if (entity === undefined) continue;
    const trees = crate.entities.filter(({ hasPart, identifier }) =>
      identifier !== undefined && refs(hasPart).includes(entity["@id"])
    );
    const found = trees.map((tree) => ({ tree, maker: makerOf(tree, crate) }));
    const { tree, maker } = found.find(({ maker }) => maker !== null) ?? found[0] ?? {};
    if (tree === undefined) continue;
    return [
      path,
      `  sha256 ${sha256}, ${size} bytes`,
      `  is ${entity.name} ${originOf(tree, crate)}, by ${file}`,
      "",
      ...(maker == null ? [] : [...chain(maker, crate)].reverse().flatMap((action) => stageLines(action, crate))),
      ...runLines(crate),
      "",
    ].join("\n");
  }
  return null;
}

/** A crate's entities, in order and by what one looks them up. */
interface OpenCrate {
  readonly entities: readonly Entity[];
  readonly byId: ReadonlyMap<string, Entity>;
  /** The run of the stage that made a tree, by the tree's id. */
  readonly makers: ReadonlyMap<string, Entity>;
}

function cratesNear(path: string): readonly string[] {
  return [dirname(path), dirname(dirname(path))].flatMap((folder) =>
    [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /ro-crate-metadata\.json(\.gz)?$/.test(name))
      .sort().map((name) => `${folder}/${name}`)
  );
}

function openCrate(file: string): OpenCrate {
  try {
    const bytes = Deno.readFileSync(file);
    const json = new TextDecoder().decode(file.endsWith(".gz") ? gunzipSync(bytes) : bytes);
    const { "@graph": entities }: Crate = JSON.parse(json);
    const actions = entities.filter((entity) => entity["@id"].startsWith("#action-"));
    return {
      entities,
      byId: new Map(entities.map((entity) => [entity["@id"], entity])),
      makers: new Map(actions.flatMap((action) => refs(action.result).map((id) => [id, action]))),
    };
  } catch (error) {
    throw new PipelineError(`${file} cannot be read as an RO-Crate; delete it, or get it again`, { cause: error });
  }
}

/** The stage that made a tree, or the whole of which the tree is a part. */
function makerOf(tree: Entity, { makers }: OpenCrate): Entity | null {
  const ids = [tree["@id"], ...refs(tree.isPartOf)];
  return ids.map((id) => makers.get(id)).find((maker) => maker !== undefined) ?? null;
}

/** The stages behind an action, inputs before their users. */
function chain(action: Entity, crate: OpenCrate, known = new Set<Entity>()): ReadonlySet<Entity> {
  if (known.has(action)) return known;
  for (const tree of treesOf(action, crate)) {
    const maker = makerOf(tree, crate);
    if (maker !== null) chain(maker, crate, known);
  }
  return known.add(action);
}

function stageLines(action: Entity, crate: OpenCrate): readonly string[] {
  const code = refs(action.instrument).map((id) => crate.byId.get(id)?.softwareVersion);
  return [
    `${action.name}  (${action.endTime ?? "time unknown"})`,
    ...described(action.object, crate).filter(isProperty).map(({ name, value }) => `  params ${name}: ${value}`),
    `  code   ${code.join()}`,
    ...treesOf(action, crate).map((tree) =>
      `  input  ${tree.name}: ${tree.description} ${originOf(tree, crate)}, ${digestOf(tree)}`
    ),
  ];
}

/** When and where the whole was run: the commit, the machine and the versions. */
function runLines(crate: OpenCrate): readonly string[] {
  return crate.entities.filter((entity) => entity["@type"] === "OrganizeAction").flatMap((run) => [
    `run  (${run.endTime})`,
    ...described(run.additionalProperty, crate).map(({ name, value }) => `  ${name} ${value}`),
  ]);
}

function originOf(tree: Entity, crate: OpenCrate): string {
  const maker = makerOf(tree, crate);
  if (maker !== null) return `of stage "${maker.name}"`;
  return refs(tree.hasPart).some((id) => id.startsWith("#source-")) ? "of the user's" : "of a part of some result";
}

function treesOf(action: Entity, crate: OpenCrate): readonly Entity[] {
  return described(action.object, crate).filter((entity) => entity["@type"] === "Dataset");
}

function described(value: unknown, { byId }: OpenCrate): readonly Entity[] {
  return refs(value).flatMap((id) => byId.get(id) ?? []);
}

function digestOf({ identifier }: Entity): string {
  return String(identifier).replace(/^sha256:/, "");
}

function isFile(entity: Entity): boolean {
  return entity["@type"] === "File";
}

function isProperty(entity: Entity): boolean {
  return entity["@type"] === "PropertyValue";
}

/** The ids that a property refers to: of one reference, a list of them, or none. */
function refs(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(refs);
  return typeof value === "object" && value !== null && "@id" in value ? [String(value["@id"])] : [];
}
