/**
 * The instructions of pickles: those of protocols 1 to 5 and the simplest of protocol 0, by Lib/pickletools.py of
 * CPython. None of them calls anything.
 */
import { isName, isObject, type PickledName, type PickledObject } from "./pickled_objects.ts";
import { type Cursor, latin1, TensorFileError } from "./source.ts";

/** Texts of Python 2 are bytes or text; what is longer than any name is left as bytes. */
const LONGEST_TEXT = 256;
/** Names that take over a machine when Python reads the pickle, for the message. */
const DANGEROUS = /^(os|posix|nt|subprocess|sys|builtins|__builtin__|shutil|socket|runpy|importlib|pty|commands)\./;
const UTF8 = new TextDecoder();

/** What the instructions work on. */
export interface Machine {
  readonly cursor: Cursor;
  /** Whether a class or function may be named. */
  readonly knows: (name: string) => boolean;
  stack: unknown[];
  readonly marks: unknown[][];
  readonly memo: Map<number, unknown>;
}

/** What was pushed last. */
export function pop({ stack }: Machine): unknown {
  if (stack.length === 0) throw new TensorFileError("it is damaged: its pickle takes what it did not make");
  return stack.pop();
}

function top({ stack }: Machine): unknown {
  if (stack.length === 0) throw new TensorFileError("it is damaged: its pickle takes what it did not make");
  return stack[stack.length - 1];
}

/** What was pushed since the last mark. */
function sinceMark(machine: Machine): unknown[] {
  const before = machine.marks.pop();
  if (before === undefined) throw new TensorFileError("it is damaged: its pickle lacks a mark");
  const items = machine.stack;
  machine.stack = before;
  return items;
}

/** A list, a tuple or a set of what was pushed since the last mark. */
function pushMarked(machine: Machine): void {
  const items = sinceMark(machine);
  machine.stack.push(items);
}

function popMany(machine: Machine, count: number): unknown[] {
  return Array.from({ length: count }, () => pop(machine)).reverse();
}

function line({ cursor }: Machine): string {
  let text = "";
  for (let byte = cursor.u8(); byte !== 10; byte = cursor.u8()) {
    text += String.fromCharCode(byte);
    if (text.length > LONGEST_TEXT) throw new TensorFileError("it is damaged: a name in its pickle is too long");
  }
  return text.replace(/\r$/, "");
}

function nameOf({ knows }: Machine, name: string): PickledName {
  if (knows(name)) return { global: name };
  const danger = DANGEROUS.test(name) ? " That call can take over a computer: do not open this file in Python." : "";
  throw new TensorFileError(
    `it asks Python for "${name.slice(0, LONGEST_TEXT)}", which is none of the types that hold tensors. ` +
      `Nothing of it was run.${danger} Expected are weights alone, as state_dict() gives them`,
  );
}

function called(callee: unknown, args: unknown): PickledObject {
  if (!isName(callee)) throw new TensorFileError("it is damaged: its pickle calls what is no function");
  return { type: callee.global, args: Array.isArray(args) ? args : [args], items: new Map() };
}

function setItems(target: unknown, items: readonly unknown[]): void {
  const map = target instanceof Map ? target : isObject(target) ? target.items : null;
  if (map === null || items.length % 2 !== 0) {
    throw new TensorFileError("it is damaged: its pickle fills no dictionary");
  }
  for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
}

function append(target: unknown, items: readonly unknown[]): void {
  if (isObject(target)) return; // a list of a known type: what it holds is of no interest
  if (!Array.isArray(target)) throw new TensorFileError("it is damaged: its pickle fills no list");
  for (const item of items) target.push(item);
}

/** A whole number of any length, least significant byte first. */
function wholeNumber(bytes: Uint8Array): number | bigint {
  if (bytes.length > LONGEST_TEXT) throw new TensorFileError("it is damaged: a number in its pickle is too long");
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]!);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  return signed >= -(2n ** 53n) && signed <= 2n ** 53n ? Number(signed) : signed;
}

/** A text of Python 2. */
function oldText(bytes: Uint8Array<ArrayBuffer>): string | Uint8Array<ArrayBuffer> {
  return bytes.length > LONGEST_TEXT ? bytes : latin1(bytes);
}

function get(machine: Machine, index: number): void {
  if (!machine.memo.has(index)) throw new TensorFileError("it is damaged: its pickle refers to what it did not make");
  machine.stack.push(machine.memo.get(index));
}

function bigEndianDouble(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
}

function persistent(id: unknown): PickledObject {
  return { type: "persistent", args: Array.isArray(id) ? id : [id], items: new Map() };
}

/** By the byte that stands for them: the character where pickletools.py writes one. */
export const INSTRUCTIONS = new Map<number, (machine: Machine) => void>(
  Object.entries<(machine: Machine) => void>({
    "(": (m) => (m.marks.push(m.stack), m.stack = []),
    "0": (m) => pop(m),
    "1": (m) => sinceMark(m),
    "2": (m) => m.stack.push(top(m)),
    F: (m) => m.stack.push(Number(line(m))),
    G: (m) => m.stack.push(bigEndianDouble(m.cursor.bytes(8))),
    I: (m) => m.stack.push(((text) => text === "01" ? true : text === "00" ? false : Number(text))(line(m))),
    J: (m) => m.stack.push(m.cursor.i32()),
    K: (m) => m.stack.push(m.cursor.u8()),
    L: (m) => m.stack.push(Number(line(m).replace(/L$/, ""))),
    M: (m) => m.stack.push(m.cursor.u16()),
    N: (m) => m.stack.push(null),
    Q: (m) => m.stack.push(persistent(pop(m))),
    R: (m) => {
      const args = pop(m);
      m.stack.push(called(pop(m), args));
    },
    T: (m) => m.stack.push(oldText(m.cursor.bytes(m.cursor.u32()))),
    U: (m) => m.stack.push(oldText(m.cursor.bytes(m.cursor.u8()))),
    X: (m) => m.stack.push(UTF8.decode(m.cursor.bytes(m.cursor.u32()))),
    "]": (m) => m.stack.push([]),
    "}": (m) => m.stack.push(new Map()),
    ")": (m) => m.stack.push([]),
    a: (m) => append(m.stack.at(-2), [pop(m)]),
    b: (m) => {
      const state = pop(m);
      const target = top(m);
      if (!isObject(target)) throw new TensorFileError("it is damaged: its pickle gives a state to no object");
      target.state = state;
    },
    B: (m) => m.stack.push(m.cursor.bytes(m.cursor.u32())),
    C: (m) => m.stack.push(m.cursor.bytes(m.cursor.u8())),
    c: (m) => {
      const module = line(m);
      m.stack.push(nameOf(m, `${module}.${line(m)}`));
    },
    d: (m) => {
      const items = sinceMark(m);
      const map = new Map();
      setItems(map, items);
      m.stack.push(map);
    },
    e: (m) => {
      const items = sinceMark(m);
      append(top(m), items);
    },
    g: (m) => get(m, Number(line(m))),
    h: (m) => get(m, m.cursor.u8()),
    j: (m) => get(m, m.cursor.u32()),
    l: pushMarked,
    t: pushMarked,
    p: (m) => m.memo.set(Number(line(m)), top(m)),
    q: (m) => m.memo.set(m.cursor.u8(), top(m)),
    r: (m) => m.memo.set(m.cursor.u32(), top(m)),
    s: (m) => {
      const [key, value] = popMany(m, 2);
      setItems(top(m), [key, value]);
    },
    u: (m) => {
      const items = sinceMark(m);
      setItems(top(m), items);
    },
    "\x80": (m) => m.cursor.u8(),
    "\x81": (m) => {
      const args = pop(m);
      m.stack.push(called(pop(m), args));
    },
    "\x85": (m) => m.stack.push(popMany(m, 1)),
    "\x86": (m) => m.stack.push(popMany(m, 2)),
    "\x87": (m) => m.stack.push(popMany(m, 3)),
    "\x88": (m) => m.stack.push(true),
    "\x89": (m) => m.stack.push(false),
    "\x8a": (m) => m.stack.push(wholeNumber(m.cursor.bytes(m.cursor.u8()))),
    "\x8b": (m) => m.stack.push(wholeNumber(m.cursor.bytes(m.cursor.u32()))),
    "\x8c": (m) => m.stack.push(UTF8.decode(m.cursor.bytes(m.cursor.u8()))),
    "\x8d": (m) => m.stack.push(UTF8.decode(m.cursor.bytes(m.cursor.u64()))),
    "\x8e": (m) => m.stack.push(m.cursor.bytes(m.cursor.u64())),
    "\x8f": (m) => m.stack.push([]),
    "\x90": (m) => {
      const items = sinceMark(m);
      append(top(m), items);
    },
    "\x91": pushMarked,
    "\x92": (m) => {
      const [callee, args] = popMany(m, 3);
      m.stack.push(called(callee, args));
    },
    "\x93": (m) => {
      const [module, name] = popMany(m, 2);
      if (typeof module !== "string" || typeof name !== "string") {
        throw new TensorFileError("it is damaged: its pickle names a type by what is no text");
      }
      m.stack.push(nameOf(m, `${module}.${name}`));
    },
    "\x94": (m) => m.memo.set(m.memo.size, top(m)),
    "\x95": (m) => m.cursor.u64(),
    "\x96": (m) => m.stack.push(m.cursor.bytes(m.cursor.u64())),
  }).map(([character, instruction]) => [character.charCodeAt(0), instruction]),
);
