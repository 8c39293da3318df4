/**
 * Imports go one way between the rooms of the house and between the chapters of `stages/`, and a package is entered by
 * its exports alone.
 */
import { lineOf, same, visit } from "./syntax.ts";
import { allImports, assertNone, type Import, modules, read } from "./tree.ts";

/**
 * Each room and the other rooms that it may import; what is missing here (`bench`, `examples`, `test`) may import all.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  pipeline: [],
  gpu: [],
  face: ["gpu"],
  nets: ["face", "gpu"],
  stages: ["nets", "face", "gpu", "pipeline"],
  experiments: ["stages", "nets", "face", "gpu", "pipeline"],
  commands: ["experiments", "stages", "nets", "face", "gpu", "pipeline"],
  "main.ts": ["commands", "experiments", "stages", "nets", "face", "gpu", "pipeline"],
  "mod.ts": ["commands", "experiments", "stages", "nets", "face", "gpu", "pipeline"],
  "setup.ts": ["gpu"],
};

/** Rooms that nothing of the product rests on. */
const ON_TOP = ["bench", "examples", "test"];

/** Later chapters may import earlier ones. */
const CHAPTERS = ["faces", "data", "synthetic", "geometry", "training", "methods", "scores", "tables", "figures"];

/** Folders that are packages, and the names that they go by. */
const PACKAGES: Readonly<Record<string, string>> = { gpu: "@ftim/gpu", pipeline: "@ftim/pipeline" };

/** These rooms run in a browser too. */
const ANYWHERE = ["face", "gpu", "nets"];

const imports = await allImports();
const inside = imports.filter(({ to }) => !/^[a-z]+:/.test(to));

Deno.test("rooms import only the rooms below them", () => {
  const findings = inside.flatMap((one) => {
    const [from, to] = [roomOf(one.from), roomOf(one.to)];
    if (from === to || ON_TOP.includes(from) || ROOMS[from]?.includes(to)) return [];
    const allowed = ROOMS[from] ?? [];
    return [
      `${place(one)}: ${from} may import ${allowed.length === 0 ? "no other room" : allowed.join(", ")}. ` +
      "Move what is needed down, or the importing file up.",
    ];
  });
  assertNone(findings, "An import goes against the rooms' order");
});

Deno.test("every module is in a room, and every stage in a chapter", async () => {
  const findings = (await modules()).flatMap((path) => {
    const [room, chapter] = path.split("/") as [string, string?];
    if (ROOMS[room] === undefined && !ON_TOP.includes(room)) {
      return [
        `${path}:1: no rule knows ${room}. Move the file, or add its room to ROOMS in test/house/arrows_test.ts.`,
      ];
    }
    if (room !== "stages" || CHAPTERS.includes(chapter!)) return [];
    return [`${path}:1: ${chapter} is no chapter. Move the file into one of ${CHAPTERS.join(", ")}.`];
  });
  assertNone(findings, "A module is in no room");
});

Deno.test("chapters of stages/ import only the chapters before them", () => {
  const findings = inside.flatMap((one) => {
    if (roomOf(one.from) !== "stages" || roomOf(one.to) !== "stages") return [];
    const [from, to] = [one.from.split("/")[1]!, one.to.split("/")[1]!];
    if (CHAPTERS.indexOf(from) >= CHAPTERS.indexOf(to)) return [];
    return [`${place(one)}: ${from} comes before ${to}. Move what both need into ${from} or an earlier chapter.`];
  });
  assertNone(findings, "An import goes against the chapters' order");
});

Deno.test("a package is imported by its name, but for its own files, tests and benchmarks", () => {
  const findings = inside.flatMap((one) => {
    const room = roomOf(one.to);
    const name = PACKAGES[room];
    // what is damaged on purpose is the engine's own
    const tests = room === "pipeline" ? ["test/pipeline/", "test/faults/"] : [`test/${room}/`];
    const own = [`${room}/`, ...tests, `bench/${room}`].some((place) => one.from.startsWith(place));
    if (name === undefined || own || one.specifier === name || one.specifier.startsWith(`${name}/`)) return [];
    return [`${place(one)}: import it as ${name} or ${name}/…; ${room}/deno.json lists the exports.`];
  });
  assertNone(findings, "A package is entered by the back door");
});

Deno.test("face, gpu and nets import nothing at their top level that a browser lacks", () => {
  const findings = imports.flatMap((one) => {
    if (!ANYWHERE.includes(roomOf(one.from)) || one.kind === "type" || !one.to.startsWith("node:")) return [];
    return [`${place(one)}: take bytes as an argument, and let a stage or a command read and write them.`];
  });
  assertNone(findings, "A module that runs in a browser imports from Node");
});

Deno.test("face, gpu and nets use Deno only where they have asked whether it is there", async () => {
  const findings: string[] = [];
  for (const path of (await modules()).filter((path) => ANYWHERE.includes(roomOf(path)))) {
    const text = await read(path);
    visit(path, {
      text,
      visitor: {
        "MemberExpression > Identifier[name=/^(Deno|process)$/]"(node) {
          const { object } = node.parent as Deno.lint.MemberExpression;
          if (!same(object, node) || ASKS_FIRST.includes(path)) return;
          findings.push(
            `${path}:${lineOf(node, text)}: a browser has no ${node.name}. Take what it gives as an argument.`,
          );
        },
      },
    });
  }
  assertNone(findings, "A module that runs in a browser uses Deno");
});

/** Reads a variable where Deno is there and permits it, and nothing anywhere else. */
const ASKS_FIRST = ["gpu/environment_variable.ts"];

function roomOf(path: string): string {
  return path.split("/")[0]!;
}

function place({ from, line, specifier }: Import): string {
  return `${from}:${line} imports ${specifier}`;
}
