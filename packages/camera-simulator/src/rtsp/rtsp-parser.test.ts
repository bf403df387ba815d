import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_HEADER_BYTES, RtspParser, RtspSyntaxError, chooseTransport } from "./rtsp-parser.ts";

const REQUESTS = Buffer.concat([
  Buffer.from("OPTIONS rtsp://127.0.0.1:554/main RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: a: b\r\n\r\n"),
  Buffer.from([0x24, 1, 0, 3, 9, 8, 7]),
  Buffer.from("\r\nSET_PARAMETER rtsp://127.0.0.1/main RTSP/1.0\r\ncseq:2\r\nContent-Length: 5\r\n\r\nhello"),
  Buffer.from([0x24, 0, 0, 0]),
  Buffer.from("TEARDOWN * RTSP/1.0\r\nCSeq: 3\r\n\r\n"),
]);

describe("RtspParser", () => {
  it("reads requests and interleaved packets however the bytes are cut", () => {
    const whole = new RtspParser().push(REQUESTS);
    expect(whole.map((message) => (message.kind === "request" ? message.method : message.channel))).toEqual([
      "OPTIONS",
      1,
      "SET_PARAMETER",
      0,
      "TEARDOWN",
    ]);
    expect(whole[0]).toMatchObject({ uri: "rtsp://127.0.0.1:554/main" });
    fc.assert(
      fc.property(fc.array(fc.nat(REQUESTS.length), { maxLength: 12 }), (cuts) => {
        const parser = new RtspParser();
        const ends = [...cuts.sort((a, b) => a - b), REQUESTS.length];
        let from = 0;
        const messages = ends.flatMap((end) => {
          const read = parser.push(REQUESTS.subarray(from, end));
          from = end;
          return read;
        });
        expect(messages).toEqual(whole);
      }),
    );
  });

  it("answers garbage with RTSP_SYNTAX or waits for more, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (garbage, behindRequest) => {
        const parser = new RtspParser();
        try {
          parser.push(behindRequest ? Buffer.concat([REQUESTS, garbage, Buffer.from("\r\n\r\n")]) : garbage);
        } catch (error) {
          expect(error).toBeInstanceOf(RtspSyntaxError);
        }
      }),
    );
  });

  it("refuses a header without end and a body beyond the bound", () => {
    expect(() =>
      new RtspParser().push(Buffer.from(`OPTIONS * RTSP/1.0\r\nX: ${"a".repeat(MAX_HEADER_BYTES)}`)),
    ).toThrow(RtspSyntaxError);
    for (const length of ["65537", "-1", "1e3", "99999999999"]) {
      expect(() =>
        new RtspParser().push(Buffer.from(`OPTIONS * RTSP/1.0\r\nContent-Length: ${length}\r\n\r\n`)),
      ).toThrow(RtspSyntaxError);
    }
  });
});

describe("chooseTransport", () => {
  it("takes the first offer that it can do", () => {
    expect(chooseTransport("RTP/AVP/TCP;unicast;interleaved=2-3", 0)).toEqual({
      kind: "tcp",
      rtpChannel: 2,
      rtcpChannel: 3,
    });
    expect(chooseTransport("RTP/AVP;multicast,RTP/AVP/UDP;unicast;client_port=5000-5001", 0)).toEqual({
      kind: "udp",
      rtpPort: 5000,
      rtcpPort: 5001,
    });
    expect(chooseTransport("RTP/AVP/TCP", 4)).toEqual({ kind: "tcp", rtpChannel: 4, rtcpChannel: 5 });
  });

  it("refuses what it cannot do", () => {
    for (const header of [
      undefined,
      "",
      "RTP/SAVP;unicast;client_port=1-2",
      "RTP/AVP;unicast",
      "RTP/AVP;client_port=0-1",
      "RTP/AVP;client_port=70000-70001",
      "RTP/AVP/TCP;interleaved=255-256",
    ]) {
      expect(chooseTransport(header, 0)).toBeUndefined();
    }
  });

  it("never fails on arbitrary text", () => {
    fc.assert(fc.property(fc.string(), (text) => void chooseTransport(text, 0)));
  });
});
