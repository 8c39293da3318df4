/** Records of artifacts, one method or variant each. */

/** A record with each value replaced. */
export function mapValues<Name extends string, In, Out>(
  record: Readonly<Record<Name, In>>,
  make: (value: In) => Out,
): Record<Name, Out> {
  const made = Object.entries<In>(record).map(([name, value]) => [name, make(value)]);
  return Object.fromEntries(made) as Record<Name, Out>;
}
