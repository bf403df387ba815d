/** The live test picture: a barcode of the time over colour bars and a moving disc. Pure. */
import { Canvas, rgb } from "./canvas.ts";
import { clockBarcodeHeight, drawClockBarcode } from "./clock-barcode.ts";

const BARS = [
  rgb(180, 180, 180),
  rgb(180, 180, 16),
  rgb(16, 180, 180),
  rgb(16, 180, 16),
  rgb(180, 16, 180),
  rgb(180, 16, 16),
  rgb(16, 16, 180),
];
const DISC = rgb(250, 250, 250);
const DISC_PERIOD_MS = 4000;

/** The part of the picture that stays; draw it once. */
export function drawClockBackground(width: number, height: number): Canvas {
  const canvas = new Canvas(width, height);
  const top = clockBarcodeHeight(height);
  BARS.forEach((colour, index) =>
    canvas.rectangle((index * width) / BARS.length, top, width / BARS.length + 1, height - top, colour),
  );
  return canvas;
}

export function drawClockPicture(canvas: Canvas, background: Canvas, epochMs: number): void {
  canvas.copyFrom(background);
  const { width, height } = canvas;
  const radius = height / 10;
  const phase = (epochMs % DISC_PERIOD_MS) / DISC_PERIOD_MS;
  canvas.ellipse(radius + (width - 2 * radius) * phase, height * 0.6, radius, radius, DISC);
  drawClockBarcode(canvas.luma, width, height, epochMs);
}
