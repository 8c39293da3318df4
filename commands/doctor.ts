/** `doctor`: whether this machine and the data folder have what an experiment needs, and what to do where not. */
import { type Command, Option } from "commander";
import { join } from "node:path";
import { Failure } from "./failure.ts";
import { byteText, place, storeCommand, type StoreOptions } from "./common.ts";
import type { FoundFile } from "../stages/data/parts/data_folder.ts";
import { versionText } from "./version.ts";

interface DoctorOptions extends StoreOptions {
  readonly experiment: "embedded" | "paper";
  readonly data?: string;
}

/** One line of the report, and whether all is well. */
interface Line {
  readonly well: boolean;
  readonly what: string;
  readonly says: string;
}

/** Adds the command. */
export function doctor(program: Command): void {
  storeCommand(program, ["doctor", "whether this machine and the data folder have what an experiment needs"])
    .addOption(new Option("--experiment <name>", "what is to run").choices(["embedded", "paper"]).default("embedded"))
    .option("--data <folder>", "the folder of your own files (default: data)", place)
    .action(examine);
}

async function examine({ store, experiment, data }: DoctorOptions): Promise<void> {
  console.log(versionText());
  const lines = [await adapter(), await libraries(), await packages(), await writable(store)];
  for (const { well, what, says } of lines) console.log(`${well ? "ok  " : "FAIL"}  ${what.padEnd(10)}  ${says}`);
  const files = experiment === "paper" ? await paperFiles(data) : true;
  if (!files || lines.some(({ well }) => !well)) throw new Failure();
}

async function adapter(): Promise<Line> {
  const { isSoftware, openGpu } = await import("@ftim/gpu/device");
  try {
    const { device, info } = await openGpu();
    const name = info.description || [info.vendor, info.architecture].filter((part) => part !== "").join(" ");
    return { well: true, what: "adapter", says: `${name}${isSoftware(device) ? " (software: slow, and enough)" : ""}` };
  } catch (error) {
    return { well: false, what: "adapter", says: messageOf(error) };
  }
}

/** Packages whose native or WebAssembly parts may not fit the machine. */
async function libraries(): Promise<Line> {
  const loads = {
    sharp: () => import("sharp"),
    "@tensorflow/tfjs": () => import("@tensorflow/tfjs"),
    "onnxruntime-web": () => import("onnxruntime-web/wasm"),
  };
  const failed: string[] = [];
  for (const [name, load] of Object.entries(loads)) {
    await load().catch((error: unknown) => failed.push(`${name}: ${messageOf(error)}`));
  }
  const says = failed.length === 0 ? `${Object.keys(loads).join(", ")} load` : failed.join("; ");
  return { well: failed.length === 0, what: "libraries", says };
}

/** The networks and photographs of packages. */
async function packages(): Promise<Line> {
  const { dataLock } = await import("../stages/data/fetch.ts");
  const { defaultCache, isCached } = await import("../stages/data/parts/asset_cache.ts");
  const packaged = [...dataLock().assets.values()].filter(({ source }) => !source.startsWith("user:"));
  const cached = (await Promise.all(packaged.map(isCached))).filter((is) => is).length;
  const rest = cached === packaged.length
    ? ""
    : ". The others are downloaded from npm's registry and PyPI when they are needed";
  return { well: true, what: "packages", says: `${cached} of ${packaged.length} files are in ${defaultCache}${rest}` };
}

async function writable(store: string): Promise<Line> {
  const path = join(store, `.doctor-${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(store, { recursive: true });
    await Deno.writeTextFile(path, "");
    await Deno.remove(path);
    return { well: true, what: "store", says: `${store} can be written` };
  } catch (error) {
    return { well: false, what: "store", says: `${store} cannot be written: ${messageOf(error)}` };
  }
}

const MARKS = { present: "ok", other: "other", absent: "absent", wrong: "WRONG", spare: "-" };

/** Prints the table of files; says whether the experiment can run. */
async function paperFiles(data: string | undefined): Promise<boolean> {
  const { paperFiles: look } = await import("../stages/data/parts/data_folder.ts");
  const { PAPER_NEEDS, paperFacts } = await import("../experiments/paper_data.ts");
  const { dataLock } = await import("../stages/data/fetch.ts");
  const { defaultDataFolder } = await import("../stages/data/parts/obtain.ts");
  const folder = data ?? defaultDataFolder;
  const found = await look(folder, dataLock());
  const present = new Set(found.filter(isReadable).map(({ asset }) => asset.id));
  const isSpare = ({ asset: { id }, status }: FoundFile) =>
    status === "absent" && PAPER_NEEDS.some((ids) => ids.includes(id) && ids.some((other) => present.has(other)));
  for (const read of [true, false]) {
    console.log(
      read
        ? `\nFiles in ${folder} that the experiment reads:`
        : "\nFiles that no stage reads yet. They are recognised here, and change no result:",
    );
    for (const file of found.filter((file) => file.read === read)) await print(file, isSpare(file));
  }
  printSources(found.filter((file) => !isReadable(file) && !isSpare(file)), folder);
  const wrong = found.filter(({ read, status }) => read && status === "wrong");
  const lacks = PAPER_NEEDS.filter((ids) => !ids.some((id) => present.has(id)));
  const reasons = [
    ...lacks.map((ids) => `${ids.map((id) => id.replace("paper/", "")).join(" or ")} is needed`),
    ...wrong.map(({ path }) => `${path} is wrong`),
  ];
  const verdict = reasons.length === 0 ? "All that it reads is there." : `It cannot run: ${reasons.join("; ")}.`;
  console.log(`\nThe experiment paper: ${verdict}`);
  console.log(paperFacts(data === undefined ? {} : { data }).join("\n"));
  return reasons.length === 0;
}

/** Whether stages can read a file, be it the published one or not. */
function isReadable({ status }: Pick<FoundFile, "status">): boolean {
  return status === "present" || status === "other";
}

async function print({ asset, path, status, says }: FoundFile, isSpare: boolean): Promise<void> {
  const isFile = isReadable({ status }) && !asset.source.endsWith("/");
  const size = isFile ? `${byteText((await Deno.stat(path)).size)}, ` : "";
  const mark = MARKS[isSpare ? "spare" : status];
  const what = isSpare ? "not needed: the other form is there" : `${size}${says}`;
  console.log(`${mark.padEnd(7)} ${asset.source.slice("user:".length).padEnd(44)} ${what}`);
}

/** Where what is not there comes from, once for all files of one origin. */
function printSources(files: readonly FoundFile[], folder: string): void {
  if (files.length === 0) return;
  console.log("\nWhere what is absent or wrong comes from:");
  for (const group of Map.groupBy(files, ({ asset }) => asset.collection).values()) {
    const { title, grantor, licence, rows, how } = group[0]!.asset.shared;
    console.log(
      `${title}\n  files:      ${group.map(({ asset }) => asset.source.slice("user:".length)).join(", ")}\n` +
        `  granted by: ${grantor}\n  licence:    ${licence}\n  needed by:  ${rows}\n` +
        `  what to do: ${how.replaceAll("<data folder>", folder)}`,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}
