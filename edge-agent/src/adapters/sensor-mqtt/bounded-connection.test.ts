import fc from "fast-check";
import mqttPacket from "mqtt-packet";
import { expect, test } from "vitest";
import { PacketLengths } from "./bounded-connection.ts";

test("packets within the limit pass, however their bytes are cut", () => {
  const packets = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(packets, fc.integer({ min: 1, max: 50 }), (payloads, cut) => {
      const bytes = Buffer.concat(
        payloads.map((payload) =>
          mqttPacket.generate({
            cmd: "publish",
            topic: "a/b",
            payload: Buffer.from(payload),
            qos: 0,
            dup: false,
            retain: false,
          }),
        ),
      );
      const lengths = new PacketLengths(405);
      for (let at = 0; at < bytes.length; at += cut)
        expect(lengths.feed(bytes.subarray(at, at + cut))).toBe(true);
    }),
  );
});

test("a longer packet, or a length that does not end, is told before its bytes come", () => {
  expect(new PacketLengths(16_384).feed(Buffer.from([0x30, 0xff, 0xff, 0x7f]))).toBe(false);
  expect(new PacketLengths(1e9).feed(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBe(false);
  expect(new PacketLengths(127).feed(Buffer.from([0x30, 0x7f]))).toBe(true);
});
