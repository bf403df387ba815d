import { crc32 } from "node:zlib";

/** A record of a segment file: 4 bytes length, 4 bytes CRC-32 of the payload (both big endian), payload. */
const HEADER_BYTES = 8;
/** No event is larger: a longer length is damage. */
export const MAX_PAYLOAD_BYTES = 256 * 1024;

/** What a record holds: the event as JSON, with the boot that numbered it. */
export interface StoredEvent {
  readonly boot: string;
  readonly json: string;
}

const BOOT_LENGTH = 16;

export function encodeRecord({ boot, json }: StoredEvent): Buffer {
  const payload = Buffer.from(boot + json, "utf8");
  const record = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  record.writeUInt32BE(payload.length, 0);
  record.writeUInt32BE(crc32(payload), 4);
  payload.copy(record, HEADER_BYTES);
  return record;
}

/**
 * Reads records until the end or the first one that is cut off or damaged.
 *
 * @returns the events and the length of the sound part
 */
export function decodeRecords(bytes: Buffer): { events: StoredEvent[]; soundBytes: number } {
  const events: StoredEvent[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const end = at + HEADER_BYTES + length;
    if (length <= BOOT_LENGTH || length > MAX_PAYLOAD_BYTES || end > bytes.length) break;
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32BE(at + 4)) break;
    const text = payload.toString("utf8");
    events.push({ boot: text.slice(0, BOOT_LENGTH), json: text.slice(BOOT_LENGTH) });
    at = end;
  }
  return { events, soundBytes: at };
}
