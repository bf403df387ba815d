// Reads the outbox files of version 0.1 (a log of segments): only to take over what they still hold.
import { crc32 } from "node:zlib";

/** A record: 4 bytes length, 4 bytes CRC-32 of the payload (both big endian), payload = boot id, then JSON. */
const HEADER_BYTES = 8;
const MAX_PAYLOAD_BYTES = 256 * 1024;
const BOOT_LENGTH = 16;

export interface SegmentRecord {
  readonly boot: string;
  readonly json: string;
}

/** Records until the end or the first one that is cut off or damaged: it was never acknowledged as stored. */
export function decodeRecords(bytes: Buffer): SegmentRecord[] {
  const records: SegmentRecord[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    const end = at + HEADER_BYTES + length;
    if (length <= BOOT_LENGTH || length > MAX_PAYLOAD_BYTES || end > bytes.length) break;
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32BE(at + 4)) break;
    const text = payload.toString("utf8");
    records.push({ boot: text.slice(0, BOOT_LENGTH), json: text.slice(BOOT_LENGTH) });
    at = end;
  }
  return records;
}
