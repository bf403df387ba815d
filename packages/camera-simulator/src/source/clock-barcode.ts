/**
 * The time of a picture, drawn into the picture: 64 black or white cells in two rows of 32 over its full width,
 * each row a twelfth of its height. Cells are big enough to survive H.264, scaling and a screenshot. Pure, and
 * without Node's modules, so that a browser can read it too.
 *
 * Bits, most significant first, row by row: 48 bits of milliseconds since the Unix epoch, then CRC-16/CCITT-FALSE
 * (polynomial 0x1021, initial 0xFFFF) over those six bytes. 1 is white.
 */
const COLUMNS = 32;
const ROWS = 2;
const TIME_BYTES = 6;
/** Height of one row as a part of the picture's height. */
const ROW_PART = 12;
const THRESHOLD = 128;

function crc16(bytes: readonly number[]): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** The eight bytes that the cells show for a time. */
function encodeTime(epochMs: number): number[] {
  const bytes = Array.from(
    { length: TIME_BYTES },
    (_, index) => Math.floor(epochMs / 2 ** (8 * (TIME_BYTES - 1 - index))) % 256,
  );
  const crc = crc16(bytes);
  return [...bytes, crc >> 8, crc & 0xff];
}

/** Height of the barcode in a picture of this height, in pixels. */
export function clockBarcodeHeight(height: number): number {
  return Math.floor((ROWS * height) / ROW_PART);
}

/** Draws the barcode into the luma plane of a picture (16 = black, 235 = white, BT.601 limited range). */
export function drawClockBarcode(luma: Uint8Array, width: number, height: number, epochMs: number): void {
  const bytes = encodeTime(epochMs);
  const bottom = clockBarcodeHeight(height);
  for (let column = 0; column < COLUMNS; column++) {
    const left = Math.floor((column * width) / COLUMNS);
    const right = Math.floor(((column + 1) * width) / COLUMNS);
    for (let row = 0; row < ROWS; row++) {
      const bit = row * COLUMNS + column;
      const value = ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1 ? 235 : 16;
      const end = row === ROWS - 1 ? bottom : Math.floor(((row + 1) * height) / ROW_PART);
      for (let y = Math.floor((row * height) / ROW_PART); y < end; y++)
        luma.fill(value, y * width + left, y * width + right);
    }
  }
}

/** Mean brightness of the middle of one cell, 0..255. */
function cellBrightness(
  pixels: ArrayLike<number>,
  width: number,
  height: number,
  isRgba: boolean,
  row: number,
  column: number,
): number {
  const cellWidth = width / COLUMNS;
  const cellHeight = height / ROW_PART;
  const left = Math.floor((column + 0.3) * cellWidth);
  const right = Math.max(left + 1, Math.ceil((column + 0.7) * cellWidth));
  const top = Math.floor((row + 0.3) * cellHeight);
  const bottom = Math.max(top + 1, Math.ceil((row + 0.7) * cellHeight));
  let sum = 0;
  let count = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * width + x;
      // Green alone is the larger part of brightness, and the cells are grey.
      sum += pixels[isRgba ? at * 4 + 1 : at] ?? 0;
      count += 1;
    }
  }
  return sum / count;
}

/**
 * Reads the time out of a picture of the clock source.
 *
 * @param pixels RGBA (4 bytes a pixel), or a picture whose first width x height bytes are brightness (grey, I420, NV12)
 * @returns milliseconds since the Unix epoch, or undefined when the picture shows no sound barcode
 */
export function readClockBarcode(
  pixels: ArrayLike<number>,
  width: number,
  height: number,
): number | undefined {
  if (width < COLUMNS || height < ROW_PART || pixels.length < width * height) return undefined;
  const isRgba = pixels.length >= width * height * 4;
  const bytes = Array.from({ length: TIME_BYTES + 2 }, () => 0);
  for (let bit = 0; bit < ROWS * COLUMNS; bit++) {
    const brightness = cellBrightness(
      pixels,
      width,
      height,
      isRgba,
      Math.floor(bit / COLUMNS),
      bit % COLUMNS,
    );
    if (brightness >= THRESHOLD) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7));
  }
  const time = bytes.slice(0, TIME_BYTES);
  if (crc16(time) !== ((bytes[TIME_BYTES] as number) << 8) + (bytes[TIME_BYTES + 1] as number))
    return undefined;
  return time.reduce((sum, byte) => sum * 256 + byte, 0);
}
