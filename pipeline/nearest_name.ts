/** What somebody may have meant who mistyped a name. */

/**
 * The name that is nearest to a mistyped one, by edit distance.
 *
 * @returns null if none is near (half of a short name's letters may differ, and a third of a long one's)
 */
export function nearestName(name: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  let least = 1 + Math.min(Math.max(2, Math.floor(name.length / 3)), Math.floor(name.length / 2));
  for (const candidate of names) {
    const distance = editDistance(name, candidate);
    if (distance < least) [least, best] = [distance, candidate];
  }
  return best;
}

/** The end of a message about a name that is not there: the nearest one, or all that there are. */
export function didYouMean(name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  return near === null ? `there are ${names.join(", ")}` : `did you mean "${near}"?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
