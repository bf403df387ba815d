import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinAnnexB } from "../annexb.ts";
import type { RtpVideoCodec } from "./nal-syntax.ts";
import { type ReceivedUnit, RtpVideoReceiver } from "./rtp-video-receiver.ts";

const SSRC = 0x1234;

/** NAL headers by what they are. */
const KINDS = {
  h264: { key: [0x65], picture: [0x41], disposable: [0x01], sets: [[0x67], [0x68]] },
  h265: {
    key: [0x26, 1],
    picture: [0x02, 1],
    disposable: [0x00, 1],
    sets: [
      [0x40, 1],
      [0x42, 1],
      [0x44, 1],
    ],
  },
} as const;

interface Picture {
  readonly nals: Uint8Array[];
  readonly timestamp: number;
}

function nal(header: readonly number[], size: number): Uint8Array {
  const bytes = new Uint8Array(header.length + size).fill(0x77);
  bytes.set(header);
  return bytes;
}

/** Packs pictures as cameras do: small units together, large ones in fragments. */
function packetize(
  codec: RtpVideoCodec,
  pictures: readonly Picture[],
  mtu: number,
  firstSequence = 0,
): Uint8Array[] {
  let sequence = firstSequence;
  const packet = (payload: Uint8Array, timestamp: number, marker: boolean): Uint8Array => {
    const bytes = new Uint8Array(12 + payload.length);
    const view = new DataView(bytes.buffer);
    bytes[0] = 0x80;
    bytes[1] = 96 | (marker ? 0x80 : 0);
    view.setUint16(2, sequence++ & 0xffff);
    view.setUint32(4, timestamp >>> 0);
    view.setUint32(8, SSRC);
    bytes.set(payload, 12);
    return bytes;
  };
  return pictures.flatMap(({ nals, timestamp }) => {
    const payloads = nals.flatMap((unit) => (unit.length <= mtu ? [unit] : fragments(codec, unit, mtu)));
    return payloads.map((payload, i) => packet(payload, timestamp, i === payloads.length - 1));
  });
}

function fragments(codec: RtpVideoCodec, unit: Uint8Array, mtu: number): Uint8Array[] {
  const headerBytes = codec === "h264" ? 1 : 2;
  const body = unit.subarray(headerBytes);
  const count = Math.ceil(body.length / mtu);
  return Array.from({ length: count }, (_, i) => {
    const flags = (i === 0 ? 0x80 : 0) | (i === count - 1 ? 0x40 : 0);
    const first = unit[0] as number;
    const head =
      codec === "h264"
        ? [(first & 0xe0) | 28, flags | (first & 0x1f)]
        : [(first & 0x81) | (49 << 1), unit[1] as number, flags | ((first >> 1) & 0x3f)];
    return Uint8Array.from([...head, ...body.subarray(i * mtu, (i + 1) * mtu)]);
  });
}

function receiver(codec: RtpVideoCodec, parameterSets: Uint8Array[] = []): RtpVideoReceiver {
  return new RtpVideoReceiver({
    codec,
    payloadType: 96,
    clockRate: 90_000,
    parameterSets,
    maxUnitBytes: 100_000,
  });
}

function receive(target: RtpVideoReceiver, packets: readonly Uint8Array[]): ReceivedUnit[] {
  const units: ReceivedUnit[] = [];
  for (const packet of packets) target.push(packet, (unit) => units.push(unit));
  return units;
}

const picturesOf = (codec: RtpVideoCodec, sizes: readonly number[], keyEvery = 5, startTime = 0): Picture[] =>
  sizes.map((size, i) => ({
    timestamp: startTime + i * 3600,
    nals:
      i % keyEvery === 0
        ? [...KINDS[codec].sets.map((set) => nal(set, 8)), nal(KINDS[codec].key, size)]
        : [nal(KINDS[codec].picture, size)],
  }));

describe.each(["h264", "h265"] as const)("RTP video of %s", (codec) => {
  test("comes back whole, whatever the packet size and where its counters wrap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 20, max: 1400 }),
        fc.constantFrom(0, 65_530),
        fc.constantFrom(0, 2 ** 32 - 5000),
        (sizes, mtu, firstSequence, startTime) => {
          const pictures = picturesOf(codec, sizes, 5, startTime);
          const units = receive(receiver(codec), packetize(codec, pictures, mtu, firstSequence));
          expect(units.map(({ annexB }) => Buffer.from(annexB).toString("hex"))).toEqual(
            pictures.map(({ nals }) => Buffer.from(joinAnnexB(nals)).toString("hex")),
          );
          expect(units.map(({ ptsMs }) => Math.round(ptsMs))).toEqual(sizes.map((_, i) => i * 40));
          expect(units.map(({ keyframe }) => keyframe)).toEqual(sizes.map((_, i) => i % 5 === 0));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("after a lost packet gives nothing that leans on it, and goes on at the next keyframe", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (at) => {
        const pictures = picturesOf(
          codec,
          Array.from({ length: 20 }, () => 500),
        );
        const packets = packetize(codec, pictures, 100);
        // A loss before the first packet cannot be seen.
        const lost = 1 + (at % (packets.length - 1));
        const target = receiver(codec);
        const units = receive(target, packets.toSpliced(lost, 1));
        // Every group of pictures is a whole one, or was cut short.
        let last = -1;
        for (const unit of units) {
          const number = Math.round(unit.ptsMs / 40);
          expect(unit.keyframe || number === last + 1).toBe(true);
          last = number;
        }
        expect(units.length).toBeGreaterThanOrEqual(14);
        expect(units.length).toBeLessThan(20);
      }),
      { numRuns: 40 },
    );
  });

  test("puts the session's parameter sets before keyframes that lack them", () => {
    const sets = KINDS[codec].sets.map((set) => nal(set, 8));
    const key = nal(KINDS[codec].key, 50);
    const [unit] = receive(receiver(codec, sets), packetize(codec, [{ timestamp: 0, nals: [key] }], 1400));
    expect(Buffer.from(unit?.annexB ?? []).equals(joinAnnexB([...sets, key]))).toBe(true);
  });

  test("tells when parameter sets change in mid-stream", () => {
    const picture = (fill: number, timestamp: number): Picture => ({
      timestamp,
      nals: [...KINDS[codec].sets.map((set) => nal([...set, fill], 4)), nal(KINDS[codec].key, 40)],
    });
    const packets = packetize(codec, [picture(1, 0), picture(1, 3600), picture(2, 7200)], 1400);
    expect(receive(receiver(codec), packets).map(({ changed }) => changed)).toEqual([false, false, true]);
  });

  test("knows pictures that nobody leans on", () => {
    const pictures: Picture[] = [
      { timestamp: 0, nals: [...KINDS[codec].sets.map((set) => nal(set, 4)), nal(KINDS[codec].key, 9)] },
      { timestamp: 3600, nals: [nal(KINDS[codec].disposable, 9)] },
      { timestamp: 7200, nals: [nal(KINDS[codec].picture, 9)] },
    ];
    const units = receive(receiver(codec), packetize(codec, pictures, 1400));
    expect(units.map(({ disposable }) => disposable)).toEqual([false, true, false]);
  });

  test("gives up a picture beyond the bound without holding it", () => {
    const [small, large] = picturesOf(codec, [10, 200_000], 1);
    const units = receive(receiver(codec), packetize(codec, [small as Picture, large as Picture], 1400));
    expect(units).toHaveLength(1);
  });

  test("survives garbage, and packets with any bit wrong", () => {
    const packets = packetize(codec, picturesOf(codec, [500, 500, 500]), 100);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(255)), { maxLength: 20 }),
        fc.uint8Array(),
        (flips, noise) => {
          const damaged = packets.map((packet) => packet.slice());
          for (const [which, where, value] of flips) {
            const packet = damaged[which % damaged.length] as Uint8Array;
            packet[where % packet.length] = value;
          }
          const target = receiver(codec);
          receive(target, [noise, ...damaged]);
        },
      ),
    );
  });
});
