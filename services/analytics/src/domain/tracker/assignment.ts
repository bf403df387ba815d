/**
 * Cheapest one-to-one assignment of rows to columns (shortest augmenting paths after Jonker and Volgenant 1987,
 * in the form with row and column potentials; O(rows² · columns)).
 *
 * A pair that costs `limit` or more is never made: leaving both alone is then at least as good. The result is
 * optimal for the sum of costs where every unassigned row counts `limit`.
 *
 * @param costs row-major, rows x columns, finite or Infinity
 * @returns for each row its column, or -1
 */
export function assign(costs: Float64Array, rows: number, columns: number, limit: number): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  if (rows === 0 || columns === 0) return result;
  // Each row may also take one of `rows` dummy columns at the price of the limit: being left alone.
  const width = columns + rows;
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(width + 1);
  const rowOfColumn = new Int32Array(width + 1);
  const previous = new Int32Array(width + 1);
  const slack = new Float64Array(width + 1);
  const visited = new Uint8Array(width + 1);

  for (let row = 1; row <= rows; row++) {
    rowOfColumn[0] = row;
    slack.fill(Infinity);
    visited.fill(0);
    let column = 0;
    do {
      visited[column] = 1;
      const current = rowOfColumn[column]!;
      const offset = (current - 1) * columns - 1;
      let delta = Infinity;
      let next = 0;
      for (let j = 1; j <= width; j++) {
        if (visited[j] === 1) continue;
        const cost = j <= columns ? Math.min(costs[offset + j]!, limit) : limit;
        const reduced = cost - rowPotential[current]! - columnPotential[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          previous[j] = column;
        }
        if (slack[j]! < delta) {
          delta = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= width; j++) {
        if (visited[j] === 1) {
          rowPotential[rowOfColumn[j]!]! += delta;
          columnPotential[j]! -= delta;
        } else {
          slack[j]! -= delta;
        }
      }
      column = next;
    } while (rowOfColumn[column] !== 0);
    do {
      const from = previous[column]!;
      rowOfColumn[column] = rowOfColumn[from]!;
      column = from;
    } while (column !== 0);
  }
  for (let j = 1; j <= columns; j++) {
    const row = rowOfColumn[j]! - 1;
    if (row >= 0 && costs[row * columns + j - 1]! < limit) result[row] = j - 1;
  }
  return result;
}
