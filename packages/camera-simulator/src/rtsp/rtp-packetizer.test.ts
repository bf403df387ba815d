import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RtpPacketizer } from "./rtp-packetizer.ts";

/** Puts RTP payloads together again, as RFC 6184 §5 describes it. */
function depacketize(packets: readonly Buffer[]): Uint8Array[] {
  const nals: Uint8Array[] = [];
  let parts: Buffer[] = [];
  for (const packet of packets) {
    const payload = packet.subarray(12);
    const type = (payload[0] as number) & 0x1f;
    if (type === 24) {
      for (let at = 1; at < payload.length;) {
        const length = payload.readUInt16BE(at);
        nals.push(Uint8Array.from(payload.subarray(at + 2, at + 2 + length)));
        at += 2 + length;
      }
    } else if (type === 28) {
      const flags = payload[1] as number;
      if (flags & 0x80) parts = [Buffer.from([((payload[0] as number) & 0xe0) | (flags & 0x1f)])];
      parts.push(payload.subarray(2));
      if (flags & 0x40) nals.push(Uint8Array.from(Buffer.concat(parts)));
    } else nals.push(Uint8Array.from(payload));
  }
  return nals;
}

const slice = (type: number) =>
  fc.uint8Array({ minLength: 1, maxLength: 6000 }).map((body) => Uint8Array.from([0x60 | type, ...body]));

describe("RtpPacketizer", () => {
  it("carries every NAL unit in packets of a bounded size, the marker on the last one", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(slice(1), slice(5), slice(6)), { minLength: 1, maxLength: 5 }),
        (withSets, slices) => {
          const sets = withSets ? [Uint8Array.of(0x67, 66, 0, 30, 1), Uint8Array.of(0x68, 1, 2)] : [];
          const packets = new RtpPacketizer(() => 65_535).packetize(
            [Uint8Array.of(9, 0xf0), ...sets, ...slices],
            1000,
          );
          expect(depacketize(packets)).toEqual([...sets, ...slices]);
          packets.forEach((packet, index) => {
            expect(packet.length).toBeLessThanOrEqual(1412);
            expect(packet.readUInt16BE(2)).toBe((65_535 + index) % 65_536);
            expect(((packet[1] as number) & 0x80) !== 0).toBe(index === packets.length - 1);
          });
        },
      ),
    );
  });

  it("counts time in 90 kHz and wraps at 32 bits", () => {
    const rtp = new RtpPacketizer(() => 0xffffffff);
    const difference =
      (rtp.timestampAt(1_790_000_000_040) - rtp.timestampAt(1_790_000_000_000) + 2 ** 32) % 2 ** 32;
    expect(difference).toBe(3600);
  });

  it("reports which RTP time is which wall-clock time, with counters and CNAME", () => {
    const rtp = new RtpPacketizer(() => 7);
    rtp.packetize([Uint8Array.of(0x65, 1, 2, 3)], 0);
    const report = rtp.senderReport(1_790_000_000_500);
    expect(report[1]).toBe(200);
    expect(report.readUInt32BE(8)).toBe((1_790_000_000 + 2_208_988_800) % 2 ** 32);
    expect(report.readUInt32BE(12)).toBe(2 ** 31);
    expect(report.readUInt32BE(16)).toBe(rtp.timestampAt(1_790_000_000_500));
    expect(report.readUInt32BE(20)).toBe(1);
    expect(report.readUInt32BE(24)).toBe(4);
    const description = report.subarray(28);
    expect(description[1]).toBe(202);
    expect(description.length).toBe((description.readUInt16BE(2) + 1) * 4);
    expect(rtp.goodbye(0).at(-7)).toBe(203);
  });
});
