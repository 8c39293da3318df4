/** One fault in an archive, in a shared folder or in a stage's records, by seed. */
import { join } from "node:path";
import { type AnyBundle, bundleText, isFinished } from "../../pipeline/bundle.ts";
import { sha256 } from "../../pipeline/mod.ts";
import { filesBelow, pickOf, type Random, randomOf } from "./random.ts";

const BLOCK = 512;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Names that lead out of a folder, or are none; whatever they would write bears the name "evil". */
const EVIL = [
  "../../evil.txt",
  "../evil",
  "a/../../../evil.txt",
  "/tmp/evil-ftim.txt",
  "..\\..\\evil.txt",
  "C:\\evil.txt",
  "c:evil.txt",
  "evil\0.txt",
  "./evil.txt",
  "a//evil.txt",
  "evil/",
  "",
  ".",
  "..",
];

/** A file of an archive, with the header that it will get. */
interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As in a header: "0" is a file. */
  readonly type: string;
  readonly link: string;
  /** What the header says; default: the truth. */
  readonly size?: string;
}

function membersOf(tar: Uint8Array): Member[] {
  const members: Member[] = [];
  for (let at = 0; tar[at] !== 0 && at < tar.length;) {
    const text = (offset: number, length: number) =>
      decode(tar.subarray(at + offset, at + offset + length)).replace(/\0.*$/s, "");
    const size = parseInt(text(124, 12), 8);
    members.push({ name: text(0, 100), bytes: tar.slice(at + BLOCK, at + BLOCK + size), type: text(156, 1), link: "" });
    at += BLOCK + size + (-size & (BLOCK - 1));
  }
  return members;
}

function tarOf(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  const parts = members.flatMap(({ name, bytes, type, link, size }) => {
    const header = new Uint8Array(BLOCK);
    header.set(encode(name).subarray(0, 100), 0);
    header.set(encode("0000644\x000000000\x000000000\x00"), 100);
    header.set(encode(`${size ?? bytes.length.toString(8).padStart(11, "0")}\0`).subarray(0, 12), 124);
    header.set(encode("00000000000\0        "), 136);
    header.set(encode(type), 156);
    header.set(encode(link).subarray(0, 100), 157);
    header.set(encode("ustar\x0000"), 257);
    header.set(encode(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `), 148);
    return [header, bytes, new Uint8Array(-bytes.length & (BLOCK - 1))];
  });
  parts.push(new Uint8Array(2 * BLOCK));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function flip(bytes: Uint8Array, random: Random): Uint8Array {
  const damaged = bytes.slice();
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(damaged.length);
    damaged[at] = (damaged[at] ?? 0) ^ 1 << random(8);
  }
  return damaged;
}

/** Damages an archive; returns what was done, and the bytes. */
export function forgeTar(tar: Uint8Array, seed: number): { readonly what: string; readonly bytes: Uint8Array } {
  const random = randomOf(seed);
  const members = membersOf(tar);
  const at = random(members.length);
  const member = pickOf(members.slice(at, at + 1), random);
  const other = random(members.length);
  const put = (changes: Partial<Member>) => tarOf(members.with(at, { ...member, ...changes }));
  const insert = (added: Partial<Member>) => {
    const extra: Member = { name: "x", bytes: new Uint8Array(), type: "0", link: "", ...added };
    return tarOf(members.toSpliced(other, 0, extra));
  };
  const faults: Readonly<Record<string, () => Uint8Array>> = {
    "flipped bits": () => flip(tar, random),
    "flipped header": () => {
      const bytes = tar.slice();
      const start = tarOf(members.slice(0, at)).length - 2 * BLOCK;
      bytes.set(flip(bytes.subarray(start, start + BLOCK), random), start);
      return bytes;
    },
    "cut": () => tar.slice(0, random(tar.length)),
    "a block of zeros": () => tar.slice().fill(0, random(tar.length / BLOCK) * BLOCK).slice(0, tar.length),
    "zeros in between": () => {
      const start = random(tar.length / BLOCK) * BLOCK;
      return tar.slice().fill(0, start, start + BLOCK);
    },
    "twice": () => insert(member),
    "twice, the second damaged": () => insert({ ...member, bytes: flip(member.bytes, random) }),
    "left out": () => tarOf(members.toSpliced(at, 1)),
    "swapped": () => {
      const second = pickOf(members.slice(other, other + 1), random);
      return tarOf(
        members.with(at, { ...member, bytes: second.bytes }).with(other, { ...second, bytes: member.bytes }),
      );
    },
    "a huge size": () => put({ size: pickOf(["77777777777", "37777777777", "00100000000"], random) }),
    "an odd size": () =>
      put({ size: pickOf(["-0000000001", "\x80\0\0\0\0\0\0\0\0\0\xff", "0x100", "", "12 34"], random) }),
    "another size": () => put({ size: random(member.bytes.length + 2000).toString(8).padStart(11, "0") }),
    "a name": () => put({ name: pickOf(EVIL, random) }),
    "a name in a folder": () => put({ name: `${pickOf(["sha256", "nodes"], random)}/${pickOf(EVIL, random)}` }),
    "one more by a name": () => insert({ name: pickOf(EVIL, random), bytes: encode("evil") }),
    "a link": () => insert({ name: "evil", type: pickOf(["1", "2"], random), link: pickOf(EVIL, random) }),
    "an object as a link": () => put({ type: pickOf(["1", "2"], random), link: "../../evil", bytes: new Uint8Array() }),
    "a device": () => insert({ name: "evil", type: pickOf(["3", "4", "5", "6", "7"], random) }),
    "a long name": () =>
      insert({
        name: "././@LongLink",
        type: pickOf(["L", "K"], random),
        bytes: encode(`../../evil${"x".repeat(200)}\0`),
      }),
    "a PAX header": () =>
      insert({ name: "pax", type: pickOf(["x", "g"], random), bytes: encode("24 path=../../evil.txt\n") }),
    "something after the end": () => new Uint8Array([...tar, ...flip(new Uint8Array(BLOCK), random), ...tar]),
    "nothing": () => new Uint8Array(random(2) * BLOCK),
    "records of another kind": () =>
      tarOf(members.map((one) => one.name.startsWith("nodes/") ? forged(one, random) : one)),
    "one stage's records of another kind": () => {
      const [index, record] = pickOf(
        [...members.entries()].filter(([, { name }]) => name.startsWith("nodes/")),
        random,
      );
      return tarOf(members.with(index, forged(record, random)));
    },
  };
  // the records are where cunning pays
  const names = [...Object.keys(faults), ...Array(8).fill("one stage's records of another kind")];
  const what = pickOf(names, random);
  return { what, bytes: faults[what]?.() ?? tar };
}

function forged(member: Member, random: Random): Member {
  return { ...member, bytes: forgeRecords(member.bytes, random) };
}

/** Records as they would be by a forger, who reckons the checksum anew. */
function forgeRecords(bytes: Uint8Array, random: Random): Uint8Array {
  const { sum: _, ...bundle }: AnyBundle & { readonly sum: string } = JSON.parse(decode(bytes));
  const again = (changed: unknown) => encode(bundleText(changed as AnyBundle));
  const { node, actions, documents } = bundle;
  const index = random(Math.max(1, actions.length));
  const action = actions[index];
  /** The listing with its text changed, and named anew. */
  function relist(change: (text: string) => string, also = bundle.actions): Uint8Array {
    const listing = documents.find((document) => isFinished(bundle) && sha256(document) === bundle.node.tree) ?? "";
    const text = change(listing);
    return again({
      node: { ...node, tree: sha256(text) },
      actions: also,
      documents: [...documents.filter((document) => document !== listing), text],
    });
  }
  const inFiles = (text: string, path: string) =>
    text.replaceAll(/\["([^"]*)","([0-9a-f]{64})"/g, (_, _path, sha) => `[${JSON.stringify(path)},"${sha}"`);
  const evil = () => {
    const path = pickOf(EVIL, random);
    return relist((text) => inFiles(text, path), actions.map((one) => JSON.parse(inFiles(JSON.stringify(one), path))));
  };
  const faults: (() => Uint8Array)[] = [
    ...Array(8).fill(evil),
    () => encode(pickOf(["null", "{}", "[]", "0", '""', "", "{", "\ufeff{}", "[".repeat(5000)], random)),
    () => again({ node: null, actions, documents }),
    () => again({ node, actions: null, documents }),
    () => again({ node, actions, documents: [] }),
    () => again({ node, actions, documents: [1, null, {}] }),
    () =>
      again({ node: { ...node, tree: pickOf(["../../evil", "", "0".repeat(64), null], random) }, actions, documents }),
    () => again({ node: { ...node, key: "../../evil" }, actions, documents }),
    () => again({ node: { ...node, stage: "../../evil" }, actions, documents }),
    () => again({ node: { ...node, preimage: `${node.preimage} ` }, actions, documents }),
    () => again({ node: { ...node, skipped: 1e30, items: -1 }, actions, documents }),
    () => again({ node: { ...node, __proto__: null, constructor: 1 }, actions, documents: [...documents, "evil"] }),
    () =>
      again({
        node,
        actions: action === undefined ? [{}] : actions.with(index, { ...action, item: "evil" }),
        documents,
      }),
    () =>
      again({ node, actions: actions.map((one) => ({ ...one, files: action?.files ?? [["a", "b", 1]] })), documents }),
    () => again({ node, actions: actions.map((one) => ({ ...one, preimage: "{}" })), documents }),
    () => again({ node, actions: [...actions, ...actions].toReversed(), documents: documents.toReversed() }),
    () => again({ node, actions: [], documents }),
    () =>
      again({ node: { key: node.key, stage: node.stage, preimage: node.preimage, tree: null }, actions, documents }),
    () => relist((text) => inFiles(text, pickOf(EVIL, random)), []),
    () => relist((text) => text.replaceAll(/"[0-9a-f]{64}",/g, '"../../../evil",')),
    () => relist((text) => text.replaceAll(/,\d+\]/g, pickOf([",-1]", ",1e99]", ",null]", ",99999999]"], random))),
    () => relist((text) => text.replace('"files"', '"filez"')),
    () => relist(() => pickOf(["null", "{}", "evil", '{"files":{},"skipped":[]}'], random)),
    () =>
      relist((text) => text.replace("[[", '[["a","'.concat("0".repeat(64), '",1],["a/b","', "0".repeat(64), '",1],['))),
    () => flip(bytes, random),
  ];
  return pickOf(faults, random)();
}

/** Damages a shared folder; returns what was done. */
export function forgeFolder(folder: string, seed: number): string {
  const random = randomOf(seed);
  const all = filesBelow(folder);
  const path = pickOf(all, random);
  const other = pickOf(all, random);
  const records = all.filter((name) => name.includes("/nodes/"));
  const set = (at: string, bytes: Uint8Array) => Deno.writeFileSync(at, bytes);
  const replace = (make: () => void) => {
    Deno.removeSync(path);
    make();
  };
  const faults: Readonly<Record<string, () => void>> = {
    "flipped bits": () => set(path, flip(Deno.readFileSync(path), random)),
    "cut": () => Deno.truncateSync(path, random(Deno.statSync(path).size)),
    "empty": () => Deno.truncateSync(path, 0),
    "longer": () => Deno.writeFileSync(path, encode("evil"), { append: true }),
    "huge": () => Deno.truncateSync(path, path.includes("/nodes/") ? 1 << 20 : 1 << 30),
    "gone": () => Deno.removeSync(path),
    "a folder": () => replace(() => Deno.mkdirSync(path)),
    "a link to nowhere": () => replace(() => Deno.symlinkSync("../../evil", path)),
    "a link to itself": () => replace(() => Deno.symlinkSync(path, path)),
    "a link to another file": () => replace(() => Deno.symlinkSync("/proc/self/maps", path)),
    "swapped": () => {
      const [mine, theirs] = [Deno.readFileSync(path), Deno.readFileSync(other)];
      set(path, theirs);
      set(other, mine);
    },
    "swapped records": () => {
      const [one, two] = [pickOf(records, random), pickOf(records, random)];
      const [mine, theirs] = [Deno.readFileSync(one), Deno.readFileSync(two)];
      set(one, theirs);
      set(two, mine);
    },
    "a stranger": () =>
      set(join(folder, pickOf(["evil", "nodes/evil", "sha256/evil", "nodes/x.json"], random)), encode("x")),
    "forged": () => {
      const record = pickOf(records, random);
      set(record, forgeRecords(Deno.readFileSync(record), random));
    },
  };
  const what = pickOf([...Object.keys(faults), ...Array(8).fill("forged")], random);
  faults[what]?.();
  return `${what} (${path.slice(folder.length)})`;
}
