/**
 * The rows that Table 1 can have, and the tables of other views and of LPIPS: the methods, and behind a comparator's
 * texture model the network of its authors, where the user has their weights. It draws faces itself, so it has no row
 * where textures are compared: its own are in other maps, or it has none.
 */
import {
  byMethod,
  type Comparator,
  COMPARATORS,
  type Method,
  METHOD_LABELS,
  METHODS,
  type Metric,
  PAPER_TABLE1,
} from "./methods.ts";

/** The networks' rows. */
export const NETWORK_ROWS = COMPARATORS.map((name) => `${name}_network` as const);
/** One of them. */
export type NetworkRow = `${Comparator}_network`;
/** A row. */
export type Table1Row = Method | NetworkRow;

/** All rows in their order. */
export const TABLE1_ROWS: readonly Table1Row[] = METHODS.flatMap((method): Table1Row[] => {
  const network = NETWORK_ROWS.find((row) => row === `${method}_network`);
  return network === undefined ? [method] : [method, network];
});

/** How each row is labelled. */
export const ROW_LABELS: Readonly<Record<Table1Row, string>> = {
  ...METHOD_LABELS,
  deca_network: "DECA (authors' network)",
  chen_network: "Chen, detailed (authors' network)",
  deng_network: "Deng (authors' network)",
  tran_network: "Tran (authors' network)",
};

/** The row of the network of a comparator's authors. */
export function networkRow(comparator: Comparator): NetworkRow {
  return `${comparator}_network`;
}

/**
 * What each row is given, in the rows' order: all methods, and the networks that there are.
 *
 * @param networks by comparator
 * @throws {TypeError} naming a method that is absent, or a name that is no method's or comparator's
 */
export function byTable1Row<T>(
  methods: Readonly<Record<string, T>>,
  networks: Readonly<Record<string, T>>,
): (readonly [Table1Row, T])[] {
  const unknown = Object.keys(networks).filter((name) => !COMPARATORS.some((comparator) => comparator === name));
  if (unknown.length > 0) {
    throw new TypeError(`No comparator is called ${unknown.join(", ")}; there are ${COMPARATORS.join(", ")}`);
  }
  const given = new Map<Table1Row, T>(byMethod(methods));
  for (const name of COMPARATORS) if (networks[name] !== undefined) given.set(networkRow(name), networks[name]);
  return TABLE1_ROWS.flatMap((row) => given.has(row) ? [[row, given.get(row)!] as const] : []);
}

/** Whether a row is such a network's. */
export function isNetworkRow(row: Table1Row): row is NetworkRow {
  return NETWORK_ROWS.some((network) => network === row);
}

/**
 * What the paper's Table 1 printed of a row; undefined: lost, or it has no such row. It compared with the comparators'
 * networks, so its values stand beside those where a table has them, and beside the texture models elsewhere.
 */
export function paperValue(
  row: Table1Row,
  { metric, rows }: { readonly metric: Metric; readonly rows: readonly Table1Row[] },
): number | undefined {
  if (!isNetworkRow(row)) {
    return rows.some((other) => other === `${row}_network`) ? undefined : PAPER_TABLE1[row][metric];
  }
  return PAPER_TABLE1[COMPARATORS.find((name) => networkRow(name) === row)!][metric];
}
