import * as fc from "fast-check";
import { generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { FrameReader, headOfPublish } from "./frame-reader.ts";

const publish = (bytes: number, qos: 0 | 1 = 1): Packet => ({
  cmd: "publish",
  topic: "huishi/v1/a/events",
  payload: Buffer.alloc(bytes, 0x30),
  qos,
  messageId: 258,
  dup: false,
  retain: false,
});

test("a stream is cut into its packets, however it arrives; of oversized ones only the head is kept", () => {
  const packet = fc.oneof(
    fc.constant<Packet>({ cmd: "pingresp" }),
    fc.integer({ min: 0, max: 40_000 }).map((bytes) => publish(bytes)),
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 6 }), sizes, (packets, pieces) => {
      const encoded = packets.map((each) => generate(each));
      const stream = Buffer.concat(encoded);
      const reader = new FrameReader(20_000);
      const frames = [];
      for (let at = 0, turn = 0; at < stream.byteLength; turn++) {
        const end = at + (pieces[turn % pieces.length] as number);
        frames.push(...reader.feed(stream.subarray(at, end)));
        at = end;
      }
      expect(frames).toEqual(
        encoded.map((bytes) =>
          bytes.byteLength > 20_000
            ? { bytes: bytes.subarray(0, 1024), isOversized: true }
            : { bytes, isOversized: false },
        ),
      );
    }),
  );
});

test("topic and packet id are read from the head of a PUBLISH", () => {
  const head = (packet: Packet): unknown => headOfPublish(generate(packet).subarray(0, 1024));
  expect(head(publish(5_000))).toEqual({ topic: "huishi/v1/a/events", packetId: 258 });
  expect(head(publish(5_000, 0))).toEqual({ topic: "huishi/v1/a/events", packetId: 0 });
  expect([head({ cmd: "pingresp" }), headOfPublish(Buffer.from([0x32, 4, 0, 9]))]).toEqual([null, null]);
});

test("a length that never ends is a fault", () => {
  expect(() => [...new FrameReader(100).feed(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff]))]).toThrow(
    RangeError,
  );
});
