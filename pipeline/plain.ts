/**
 * Values that JSON can say. What enters a key must survive being written and read, or two different values would share
 * a key: JSON says `{}` of a map and of a set, nothing of a function, and 0 of -0.
 */

/**
 * A copy of a value that is what JSON would give back of it. A property that is undefined is left out, as JSON does:
 * the copy cannot tell it from one that is absent. Properties are in order of their names, as in a key, which does not
 * know the order that the caller gave them in; and the copy is frozen, for one that changed would not be what the key
 * says.
 *
 * @param where what the value is called in messages
 * @throws {TypeError} naming the part that JSON cannot say
 */
export function plain(value: unknown, where: string): unknown {
  return copy(value, { where, around: [] });
}

/**
 * Throws for what JSON would lose of a value that is written: the inside of a map, a set, a typed array or an error, or
 * what is undefined in a list. What brings its own form (`toJSON`), such as a date, is written by it.
 *
 * @param where what the value is called in messages
 * @throws {TypeError} naming the part that JSON would lose
 */
export function checkWritten(value: unknown, where: string): void {
  if (typeof value === "function" || typeof value === "symbol" || value === undefined) {
    throw lost(where, value === undefined ? "undefined" : `a ${typeof value}`);
  }
  if (typeof value !== "object" || value === null) return;
  if ("toJSON" in value && typeof value.toJSON === "function") return;
  if (Array.isArray(value)) {
    if (!isList(value)) throw lost(where, "an array with gaps or with names");
    return value.forEach((inner, index) => checkWritten(inner, `${where}[${index}]`));
  }
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== "Object") throw lost(where, `a ${tag}`);
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined) checkWritten(inner, `${where}.${name}`);
  }
}

function lost(where: string, what: string): TypeError {
  return new TypeError(
    `${where} is ${what}, which JSON cannot say: give it as numbers, texts, lists and plain objects`,
  );
}

/** Whether an array has a value at each index, and nothing else. */
function isList(value: readonly unknown[]): boolean {
  const names = Object.keys(value);
  return names.length === value.length && names.every((name, index) => name === String(index));
}

/** Objects within objects, at most: more would overflow the stack of whoever reads them. */
const DEEPEST = 500;

interface Place {
  readonly where: string;
  /** The objects that the value lies in. */
  readonly around: readonly object[];
}

function copy(value: unknown, { where, around }: Place): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw refusal(where, "a text with half of a surrogate pair");
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refusal(where, String(value));
    if (Object.is(value, -0)) throw refusal(where, "-0");
    return value;
  }
  if (typeof value !== "object") throw refusal(where, value === undefined ? "undefined" : `a ${typeof value}`);
  if (around.includes(value)) throw refusal(where, "a part of itself");
  if (around.length === DEEPEST) throw refusal(`${where.slice(0, 200)}…`, `deeper than ${DEEPEST} levels`);
  if (Object.getOwnPropertySymbols(value).length > 0) throw refusal(where, "an object with a symbol as a key");
  const inside = [...around, value];
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype) throw refusal(where, `a ${classOf(value)}`);
    if (!isList(value)) throw refusal(where, "an array with gaps or with names");
    return Object.freeze(value.map((inner, index) => copy(inner, { where: `${where}[${index}]`, around: inside })));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refusal(where, `a ${classOf(value)}`);
  if (!Object.keys(value).join().isWellFormed()) {
    throw refusal(where, "an object with half of a surrogate pair in a key");
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
  // unlike an assignment, this can also make a property named __proto__
  return Object.freeze(Object.fromEntries(
    entries.map(([name, inner]) => [name, copy(inner, { where: `${where}.${name}`, around: inside })]),
  ));
}

function classOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "value of a class";
}

function refusal(where: string, what: string): TypeError {
  const advice = "give it as numbers, texts, lists and plain objects";
  return new TypeError(`${where} is ${what}, which JSON cannot say, so it cannot enter a key: ${advice}`);
}
