/** Reading the next items while those before are worked on. */

/**
 * Reads items, some at a time and in order; the next are read while the caller works on those that it was given.
 *
 * @param options `count`: how many at a time
 */
export async function* readAhead<Item, Read>(
  items: readonly Item[],
  { count, read }: { count: number; read: (item: Item) => Promise<Read> },
): AsyncGenerator<Read[]> {
  const readFrom = (first: number) => {
    const reading = Promise.all(items.slice(first, first + count).map(read));
    // Whoever awaits it is told, if it fails; nobody does where the caller stops before.
    reading.catch(() => {});
    return reading;
  };
  let next = readFrom(0);
  for (let first = 0; first < items.length; first += count) {
    const ready = await next;
    next = readFrom(first + count);
    yield ready;
  }
}
