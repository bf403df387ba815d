const JPEG_START = [0xff, 0xd8, 0xff];
const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** What a file is by its first bytes, whatever was said of it (ITU-T T.81 §B.1.1.3, PNG §5.2). null: neither. */
export function imageTypeOf(bytes: Uint8Array): "image/jpeg" | "image/png" | null {
  if (startsWith(bytes, JPEG_START)) return "image/jpeg";
  return startsWith(bytes, PNG_START) ? "image/png" : null;
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return bytes.length > start.length && start.every((byte, index) => bytes[index] === byte);
}
