/**
 * The rows that Table 1 can have: the methods, and behind a comparator's texture model the network of its authors. The
 * latter can be scored where the user has their weights, in the view that was unwrapped alone: it has a texture map of
 * its own, or none.
 */
import {
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

/** Whether a row is such a network's. */
function isNetworkRow(row: Table1Row): row is NetworkRow {
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
