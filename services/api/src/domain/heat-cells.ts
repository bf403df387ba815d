import { HEAT_COLUMNS, HEAT_ROWS } from "@huishi/contracts";
import { isInsidePolygon, type Point } from "@huishi/kernel";

/** Numbers of the grid's cells whose centre lies in the polygon. */
export function cellsInside(polygon: readonly Point[]): number[] {
  const cells = Array.from({ length: HEAT_COLUMNS * HEAT_ROWS }, (_, cell) => cell);
  return cells.filter((cell) => isInsidePolygon(centreOf(cell), polygon));
}

const centreOf = (cell: number): Point => ({
  x: ((cell % HEAT_COLUMNS) + 0.5) / HEAT_COLUMNS,
  y: (Math.floor(cell / HEAT_COLUMNS) + 0.5) / HEAT_ROWS,
});
