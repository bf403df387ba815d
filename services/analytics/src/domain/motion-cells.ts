import type { Box } from "@huishi/kernel";

/** Pixels of a cell that must differ: to begin a moving region, and to belong to one. */
const STRONG = 10;
const WEAK = 4;
/** Cells this near to one another belong to one object. */
const REACH = 2;

/** The votes of cells of 8x8 pixels, and the boxes around those that belong together. */
export class CellGrid {
  /** Differing pixels of each cell, row by row. */
  readonly count: Uint8Array;
  private readonly columns: number;
  private readonly rows: number;
  private readonly width: number;
  private readonly height: number;
  private readonly visited: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.columns = (width + 7) >> 3;
    this.rows = (height + 7) >> 3;
    this.count = new Uint8Array(this.columns * this.rows);
    this.visited = new Uint8Array(this.columns * this.rows);
  }

  clear(): void {
    this.count.fill(0);
  }

  /** Share of the cells in which something differs, 0..1. */
  activeShare(): number {
    let active = 0;
    for (const count of this.count) if (count >= STRONG) active++;
    return active / this.count.length;
  }

  /** Boxes around groups of active cells with at least one strong one, normalised, largest first. */
  boxes(): Box[] {
    this.visited.fill(0);
    const boxes: Box[] = [];
    for (let cell = 0; cell < this.count.length; cell++) {
      if (this.count[cell]! >= STRONG && this.visited[cell] === 0) boxes.push(this.groupAt(cell));
    }
    return boxes.sort((a, b) => b.w * b.h - a.w * a.h || a.y - b.y || a.x - b.x);
  }

  private groupAt(first: number): Box {
    const { columns, rows, count, visited } = this;
    let left = columns;
    let right = 0;
    let top = rows;
    let bottom = 0;
    const open = [first];
    visited[first] = 1;
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      const x = cell % columns;
      const y = (cell - x) / columns;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      for (let ny = Math.max(0, y - REACH); ny <= Math.min(rows - 1, y + REACH); ny++) {
        for (let nx = Math.max(0, x - REACH); nx <= Math.min(columns - 1, x + REACH); nx++) {
          const near = ny * columns + nx;
          if (visited[near] === 1 || count[near]! < WEAK) continue;
          visited[near] = 1;
          open.push(near);
        }
      }
    }
    const x = (left * 8) / this.width;
    const y = (top * 8) / this.height;
    return {
      x,
      y,
      w: Math.min(1, ((right + 1) * 8) / this.width) - x,
      h: Math.min(1, ((bottom + 1) * 8) / this.height) - y,
    };
  }
}
