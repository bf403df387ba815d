/** One statement with its values: what a store runs, and what a plan test explains. */
export interface Question {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Collects values as a statement is put together: `$1`, `$2` … stand in the text, never a value. */
export class Values {
  readonly list: unknown[] = [];

  /** The placeholder of a value that is now the list's last. */
  add(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

/** Conditions joined by AND; those that do not apply are null. */
export const all = (...conditions: readonly (string | null)[]): string =>
  conditions.filter((condition) => condition !== null).join(" AND ");

/** Microseconds of a time column, as decimal text: what keysets carry, for PostgreSQL counts finer than milliseconds. */
export const microsOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;

/** Epoch milliseconds of a time column as a whole JavaScript number. */
export const millisOf = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::float8`;

/** Microseconds since the epoch -> ISO 8601 text with all six digits. */
export function isoOfMicros(micros: string): string {
  const value = BigInt(micros);
  const seconds = value / 1_000_000n;
  const rest = (value % 1_000_000n).toString().padStart(6, "0");
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${rest}Z`;
}
