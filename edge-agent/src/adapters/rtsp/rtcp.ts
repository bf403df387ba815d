/** RTCP (RFC 3550 §6): just enough to be a good receiver. */
import { randomBytes } from "node:crypto";

/** A receiver report with one block, and the SDES that must follow it (§6.1, §6.4.2, §6.5). */
export function receiverReport(
  ownSsrc: number,
  source: { readonly ssrc: number; readonly sequence: number; readonly lost: number },
  lastSenderReport: { readonly middleNtp: number; readonly agoMs: number } | null,
): Uint8Array {
  const packet = Buffer.alloc(32 + 16);
  packet.writeUInt8(0x81, 0);
  packet.writeUInt8(201, 1);
  packet.writeUInt16BE(7, 2);
  packet.writeUInt32BE(ownSsrc, 4);
  packet.writeUInt32BE(source.ssrc, 8);
  packet.writeUInt32BE(Math.min(0x7fffff, source.lost), 12);
  packet.writeUInt32BE(source.sequence, 16);
  packet.writeUInt32BE(lastSenderReport?.middleNtp ?? 0, 24);
  packet.writeUInt32BE(Math.round(((lastSenderReport?.agoMs ?? 0) * 65_536) / 1000) >>> 0, 28);
  packet.writeUInt8(0x81, 32);
  packet.writeUInt8(202, 33);
  packet.writeUInt16BE(3, 34);
  packet.writeUInt32BE(ownSsrc, 36);
  packet.writeUInt8(1, 40);
  packet.writeUInt8(6, 41);
  packet.write("huishi", 42, "latin1");
  return packet;
}

/** The middle 32 bits of the NTP time of a sender report (§6.4.1), or null when it is none. */
export function middleNtpOf(packet: Uint8Array): number | null {
  if (packet.length < 28 || (packet[0] as number) >> 6 !== 2 || packet[1] !== 200) return null;
  return Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength).readUInt32BE(10);
}

export function newSsrc(): number {
  return randomBytes(4).readUInt32BE(0);
}
