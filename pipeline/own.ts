/** Looking a name up in a record: a stage, a target or a fact may have the name of what objects inherit. */

/** A record's own entry. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
