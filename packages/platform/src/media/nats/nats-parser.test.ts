import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NatsFrame, NatsParser } from "./nats-parser.ts";

const wire = Buffer.concat([
  Buffer.from('INFO {"server_name":"城"}\r\nPING\r\n+OK\r\n'),
  Buffer.from("MSG huishi.unit.cam.sub 7 5\r\na\r\nbc\r\n"),
  Buffer.from("MSG huishi.demand 1 reply.to 0\r\n\r\n-ERR 'Slow Consumer'\r\nPONG\r\n"),
]);
const frames = [
  { op: "INFO", info: '{"server_name":"城"}' },
  { op: "PING" },
  { op: "OK" },
  { op: "MSG", subject: "huishi.unit.cam.sub", sid: 7, payload: Buffer.from("a\r\nbc") },
  { op: "MSG", subject: "huishi.demand", sid: 1, payload: Buffer.alloc(0) },
  { op: "ERR", reason: "Slow Consumer" },
  { op: "PONG" },
];

describe("NatsParser", () => {
  it("reads the same frames wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(wire.byteLength), { maxLength: 40 }), (cuts) => {
        const parser = new NatsParser();
        const places = [0, ...cuts.toSorted((a, b) => a - b), wire.byteLength];
        const read: NatsFrame[] = [];
        places.slice(1).forEach((end, i) => read.push(...parser.push(wire.subarray(places[i], end))));
        expect(read).toEqual(frames);
      }),
    );
  });

  it.each([
    ["no NATS at all", "HTTP/1.1 400 Bad Request\r\n"],
    ["a line without an end", "INFO ".padEnd(70_000, "x")],
    ["a message of absurd size", "MSG a 1 99999999999\r\n"],
    ["a message without a size", "MSG a 1\r\n"],
  ])("refuses %s with a coded error", (_, text) => {
    expect(() => new NatsParser().push(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: "NATS_PROTOCOL" }),
    );
  });

  it("never fails otherwise, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const parser = new NatsParser();
        try {
          for (const chunk of chunks) parser.push(Buffer.from(chunk));
        } catch (error) {
          expect(error).toMatchObject({ code: "NATS_PROTOCOL" });
        }
      }),
    );
  });
});
