import * as fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { type Breach, MAX_CONNECT_BYTES, PacketGauge } from "./packet-gauge.ts";

const CONNECT: Packet = {
  cmd: "connect",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  clientId: "a",
  keepalive: 60,
};
const publish = (bytes: number): Packet => ({
  cmd: "publish",
  topic: "huishi/v1/a/events",
  payload: Buffer.alloc(bytes, 0x10),
  qos: 1,
  messageId: 1,
  dup: false,
  retain: false,
});

/** Feeds the bytes in pieces of these sizes, over and over. */
const feed = (gauge: PacketGauge, bytes: Buffer, sizes: readonly number[]): Breach | null => {
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const end = at + (sizes[turn % sizes.length] as number);
    const breach = gauge.feed(bytes.subarray(at, end));
    if (breach) return breach;
    at = end;
  }
  return null;
};

const pieces = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 10 });

test("packets within the limits pass, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 4 }),
      pieces,
      (payloads, sizes) => {
        const gauge = new PacketGauge();
        expect(feed(gauge, generate(CONNECT), sizes)).toBeNull();
        gauge.authenticated("events");
        expect(
          feed(gauge, Buffer.concat(payloads.map((bytes) => generate(publish(bytes)))), sizes),
        ).toBeNull();
      },
    ),
    { numRuns: 50 },
  );
});

test("a packet over the limit is caught by its length, however the stream is cut", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000 }), pieces, (small, sizes) => {
      const gauge = new PacketGauge();
      gauge.feed(generate(CONNECT));
      gauge.authenticated("media");
      const stream = Buffer.concat([generate(publish(small)), generate(publish(70_000)).subarray(0, 5)]);
      expect(feed(gauge, stream, sizes)).toBe("PACKET_TOO_LARGE");
    }),
    { numRuns: 50 },
  );
});

test("any bytes at all give a breach or nothing, never an exception, and never past 16 KB unauthenticated", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40_000 }), pieces, (noise, sizes) => {
      const breach = feed(new PacketGauge(), Buffer.from(noise), sizes);
      if (noise.byteLength > 16 * 1024) expect(breach).not.toBeNull();
    }),
    { numRuns: 50 },
  );
});

test("a CONNECT above its limit, and a long silence of nonsense, are told apart", () => {
  const large = generate({ ...CONNECT, clientId: "a".repeat(MAX_CONNECT_BYTES) } as Packet);
  expect(new PacketGauge().feed(large.subarray(0, 3))).toBe("CONNECT_TOO_LARGE");
  expect(new PacketGauge().feed(Buffer.from([0x30]))).toBe("NOT_CONNECT");
  expect(new PacketGauge().feed(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]))).toBe("BAD_LENGTH");
});

test("after sign-in pings are told and taken out of the stream, however it is cut", () => {
  const packet = fc.oneof(
    fc.constant<Packet>({ cmd: "pingreq" }),
    fc.integer({ min: 0, max: 3_000 }).map((bytes) => publish(bytes)),
  );
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 8 }), pieces, (packets, sizes) => {
      const gauge = new PacketGauge();
      gauge.feed(generate(CONNECT));
      gauge.authenticated("events");
      const stream = Buffer.concat(packets.map((each) => generate(each)));
      const kept: Uint8Array[] = [];
      let pings = 0;
      for (let at = 0, turn = 0; at < stream.byteLength; turn++) {
        const chunk = stream.subarray(at, at + (sizes[turn % sizes.length] as number));
        expect(gauge.feed(chunk)).toBeNull();
        kept.push(...gauge.withoutPings(chunk));
        pings += gauge.pings;
        at += chunk.byteLength;
      }
      const others = packets.filter(({ cmd }) => cmd !== "pingreq");
      expect(Buffer.concat(kept)).toEqual(Buffer.concat(others.map((each) => generate(each))));
      expect(pings).toBe(packets.length - others.length);
    }),
  );
});

test("a ping before sign-in stays in the stream, and one with a body is a breach", () => {
  const gauge = new PacketGauge();
  const chunk = Buffer.concat([generate(CONNECT), generate({ cmd: "pingreq" })]);
  expect(gauge.feed(chunk)).toBeNull();
  expect({ pings: gauge.pings, kept: gauge.withoutPings(chunk) }).toEqual({ pings: 0, kept: [chunk] });
  gauge.authenticated("events");
  expect(gauge.feed(Buffer.from([0xc0, 0x01, 0x00]))).toBe("BAD_LENGTH");
});
