/** H.264 (RFC 6184, packetization-mode 1) and H.265 (RFC 7798) into RTP packets, and RTCP sender reports (RFC 3550 §6.4.1). Pure. */
import { NAL, nalType } from "@huishi/media";
import type { VideoCodec } from "../source/coded-clip.ts";
import { hevcPayloads } from "./hevc-payload.ts";

export const PAYLOAD_TYPE = 96;
export const CLOCK_RATE = 90_000;
/** Payload of one packet: an IPv4 MTU of 1500 less IP, UDP and RTP headers, with room for a tunnel. */
const MAX_PAYLOAD = 1400;
const STAP_A = 24;
const FU_A = 28;
const RTP_HEADER = 12;
/** Seconds between 1900, where NTP begins, and 1970. */
const NTP_OFFSET_S = 2_208_988_800;

/** The state of one RTP stream to one client: its own sequence numbers, timestamp origin and counters. */
export class RtpPacketizer {
  readonly ssrc: number;
  #timestampOffset: number;
  #sequence: number;
  #packets = 0;
  #payloadBytes = 0;

  /** @param random32 gives random 32-bit numbers (RFC 3550 §5.1: unpredictable starts) */
  constructor(random32: () => number) {
    this.ssrc = random32() >>> 0;
    this.#timestampOffset = random32() >>> 0;
    this.#sequence = random32() & 0xffff;
  }

  get nextSequence(): number {
    return this.#sequence;
  }

  /** RTP timestamp of a wall-clock time: 90 kHz from a random origin. */
  timestampAt(wallMs: number): number {
    return (Math.round(wallMs * 90) + this.#timestampOffset) % 2 ** 32;
  }

  /** Fault: the next packet is numbered so much further. */
  jumpSequence(by: number): void {
    this.#sequence = (this.#sequence + by) & 0xffff;
  }

  /** Fault: timestamps go on so many ticks of 90 kHz further, or back. */
  jumpTimestamp(by: number): void {
    this.#timestampOffset = (((this.#timestampOffset + by) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  }

  /** Fault: the timestamp passes 2^32 at that time, and the sequence number 2^16 in `packets` packets. */
  wrapSoon(atWallMs: number, packets: number): void {
    this.jumpTimestamp(2 ** 32 - this.timestampAt(atWallMs));
    this.#sequence = (0x10000 - packets) & 0xffff;
  }

  /** The packets of one picture; the last one carries the marker (RFC 6184 §5.1, RFC 7798 §4.1). */
  packetize(nals: readonly Uint8Array[], takenAtMs: number, codec: VideoCodec = "h264"): Buffer[] {
    const timestamp = this.timestampAt(takenAtMs);
    const payloads =
      codec === "h265"
        ? hevcPayloads(nals, MAX_PAYLOAD)
        : aggregateParameterSets(nals).flatMap((nal) =>
            nal.length <= MAX_PAYLOAD ? [[nal]] : fragment(nal),
          );
    return payloads.map((parts, index) => this.#packet(parts, timestamp, index === payloads.length - 1));
  }

  #packet(parts: readonly Uint8Array[], timestamp: number, marker: boolean): Buffer {
    const header = Buffer.alloc(RTP_HEADER);
    header[0] = 0x80;
    header[1] = (marker ? 0x80 : 0) | PAYLOAD_TYPE;
    header.writeUInt16BE(this.#sequence, 2);
    header.writeUInt32BE(timestamp, 4);
    header.writeUInt32BE(this.ssrc, 8);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const packet = Buffer.concat([header, ...parts]);
    this.#packets += 1;
    this.#payloadBytes += packet.length - RTP_HEADER;
    return packet;
  }

  /** A compound packet of sender report and CNAME: which RTP time is which wall-clock time. */
  senderReport(wallMs: number): Buffer {
    const report = Buffer.alloc(28);
    const seconds = Math.floor(wallMs / 1000);
    report.set([0x80, 200, 0, 6]);
    report.writeUInt32BE(this.ssrc, 4);
    report.writeUInt32BE((seconds + NTP_OFFSET_S) % 2 ** 32, 8);
    report.writeUInt32BE(Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32) % 2 ** 32, 12);
    report.writeUInt32BE(this.timestampAt(wallMs), 16);
    report.writeUInt32BE(this.#packets % 2 ** 32, 20);
    report.writeUInt32BE(this.#payloadBytes % 2 ** 32, 24);
    return Buffer.concat([report, this.#sourceDescription()]);
  }

  /** BYE (RFC 3550 §6.6), behind a report as every compound packet. */
  goodbye(wallMs: number): Buffer {
    const bye = Buffer.from([0x81, 203, 0, 1, 0, 0, 0, 0]);
    bye.writeUInt32BE(this.ssrc, 4);
    return Buffer.concat([this.senderReport(wallMs), bye]);
  }

  #sourceDescription(): Buffer {
    const name = Buffer.from("huishi-simulator");
    const length = Math.ceil((4 + 4 + 2 + name.length + 1) / 4) * 4;
    const packet = Buffer.alloc(length);
    packet.set([0x81, 202, 0, length / 4 - 1]);
    packet.writeUInt32BE(this.ssrc, 4);
    packet.set([1, name.length], 8);
    packet.set(name, 10);
    return packet;
  }
}

/** Puts SPS and PPS of a picture into one STAP-A (RFC 6184 §5.7.1); the delimiter stays behind. */
function aggregateParameterSets(nals: readonly Uint8Array[]): Uint8Array[] {
  const isParameterSet = (nal: Uint8Array): boolean => nalType(nal) === NAL.sps || nalType(nal) === NAL.pps;
  const sets = nals.filter(isParameterSet);
  const rest = nals.filter((nal) => !isParameterSet(nal) && nalType(nal) !== NAL.aud);
  const size = sets.reduce((sum, nal) => sum + 2 + nal.length, 1);
  if (sets.length < 2 || size > MAX_PAYLOAD) return [...sets, ...rest];
  const aggregate = Buffer.alloc(size);
  aggregate[0] = Math.max(...sets.map((nal) => (nal[0] ?? 0) & 0x60)) | STAP_A;
  let at = 1;
  for (const nal of sets) {
    aggregate.writeUInt16BE(nal.length, at);
    aggregate.set(nal, at + 2);
    at += 2 + nal.length;
  }
  return [aggregate, ...rest];
}

/** Cuts a NAL unit into FU-A payloads (RFC 6184 §5.8). */
function fragment(nal: Uint8Array): Uint8Array[][] {
  const indicator = ((nal[0] ?? 0) & 0xe0) | FU_A;
  const type = nalType(nal);
  const body = nal.subarray(1);
  const size = MAX_PAYLOAD - 2;
  const fragments: Uint8Array[][] = [];
  for (let at = 0; at < body.length; at += size) {
    const flags = (at === 0 ? 0x80 : 0) | (at + size >= body.length ? 0x40 : 0);
    fragments.push([Uint8Array.of(indicator, flags | type), body.subarray(at, at + size)]);
  }
  return fragments;
}
