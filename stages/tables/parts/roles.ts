/**
 * Inputs of a stage that reads the same kind of artifact for several names: `roles("novel", ["deca", "ours"], "novel")`
 * is `{ novel_deca: "novel", novel_ours: "novel" }`.
 */
export function roles<const Prefix extends string, const Name extends string | number, const Kind extends string>(
  prefix: Prefix,
  names: readonly Name[],
  kind: Kind,
): Record<`${Prefix}_${Name}`, Kind> {
  return Object.fromEntries(names.map((name) => [`${prefix}_${name}`, kind])) as Record<`${Prefix}_${Name}`, Kind>;
}
