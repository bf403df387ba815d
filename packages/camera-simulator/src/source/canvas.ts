/** A picture in planar YUV 4:2:0 (I420) and a few brushes. Pure. */
export interface Colour {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

/** BT.601, limited range. */
export function rgb(red: number, green: number, blue: number): Colour {
  return {
    y: Math.round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
    u: Math.round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
    v: Math.round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
  };
}

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Y plane, then U, then V: what ffmpeg calls yuv420p. */
  readonly bytes: Uint8Array;
  readonly luma: Uint8Array;
  readonly #u: Uint8Array;
  readonly #v: Uint8Array;

  /** Width and height must be even. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    const pixels = width * height;
    this.bytes = new Uint8Array((pixels * 3) / 2).fill(128, pixels);
    this.luma = this.bytes.subarray(0, pixels);
    this.#u = this.bytes.subarray(pixels, (pixels * 5) / 4);
    this.#v = this.bytes.subarray((pixels * 5) / 4);
  }

  copyFrom(other: Canvas): void {
    this.bytes.set(other.bytes);
  }

  /** Fills one row from `left` to `right` (exclusive); parts outside the picture are cut. */
  row(y: number, left: number, right: number, colour: Colour): void {
    const line = Math.round(y);
    const from = Math.max(0, Math.round(left));
    const to = Math.min(this.width, Math.round(right));
    if (line < 0 || line >= this.height || from >= to) return;
    this.luma.fill(colour.y, line * this.width + from, line * this.width + to);
    if (line % 2 === 1) return;
    const chroma = (line / 2) * (this.width / 2);
    this.#u.fill(colour.u, chroma + (from >> 1), chroma + (to >> 1));
    this.#v.fill(colour.v, chroma + (from >> 1), chroma + (to >> 1));
  }

  rectangle(x: number, y: number, width: number, height: number, colour: Colour): void {
    for (let line = Math.round(y); line < Math.round(y + height); line++)
      this.row(line, x, x + width, colour);
  }

  ellipse(centreX: number, centreY: number, radiusX: number, radiusY: number, colour: Colour): void {
    for (let line = Math.ceil(centreY - radiusY); line <= centreY + radiusY; line++) {
      const half = radiusX * Math.sqrt(Math.max(0, 1 - ((line - centreY) / radiusY) ** 2));
      this.row(line, centreX - half, centreX + half, colour);
    }
  }

  /** A shape given by its left and right edge at the top and at the bottom. */
  trapezium(
    top: number,
    bottom: number,
    topEdges: readonly [number, number],
    bottomEdges: readonly [number, number],
    colour: Colour,
  ): void {
    const height = Math.max(1, bottom - top);
    for (let line = Math.round(top); line < Math.round(bottom); line++) {
      const part = (line - top) / height;
      this.row(
        line,
        topEdges[0] + (bottomEdges[0] - topEdges[0]) * part,
        topEdges[1] + (bottomEdges[1] - topEdges[1]) * part,
        colour,
      );
    }
  }
}
