import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { authorization } from "./digest.ts";
import { readMessage } from "./rtsp-reply.ts";
import { controlUrl, readVideo, readVideoMedia } from "./sdp.ts";

describe("digest authorization", () => {
  const request = { method: "DESCRIBE", uri: "rtsp://h/main" };
  const account = { username: "Mufasa", password: "Circle Of Life" };

  test("answers RFC 2617's example", () => {
    const header = authorization(
      [
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      ],
      { method: "GET", uri: "/dir/index.html" },
      account,
      { cnonce: "0a4f113b" },
    );
    expect(header).toContain('response="6629fae49393a05397450978507c4ef1"');
    expect(header).toContain('opaque="5ccc069c403ebaf9f0171e9517f40e41"');
  });

  test("prefers SHA-256 and takes Basic only when nothing better is offered", () => {
    const md5 = 'Digest realm="r", nonce="n"';
    const sha = 'Digest realm="r", nonce="n", algorithm=SHA-256';
    const basic = 'Basic realm="r"';
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const expected = hash(`${hash("Mufasa:r:Circle Of Life")}:n:${hash("DESCRIBE:rtsp://h/main")}`);
    expect(authorization([basic, md5, sha], request, account)).toContain(expected);
    expect(authorization([basic, md5], request, account)).toMatch(/^Digest /);
    expect(authorization([basic], request, account)).toMatch(/^Basic /);
    expect(authorization(["Negotiate"], request, account)).toBeNull();
  });
});

describe("RTSP replies", () => {
  const good = Buffer.from(
    "RTSP/1.0 200 OK\r\nCSeq: 1\r\nWWW-Authenticate: a\r\nwww-authenticate: b\r\nContent-Length: 3\r\n\r\nabcRTSP",
  );

  test("are read with their headers and body, and no further", () => {
    const parsed = readMessage(good);
    if (parsed.kind !== "reply") throw new Error(parsed.kind);
    expect(parsed.reply).toMatchObject({ status: 200, body: "abc" });
    expect(parsed.reply.headers.get("www-authenticate")).toEqual(["a", "b"]);
    expect(good.subarray(parsed.length).toString()).toBe("RTSP");
  });

  test("wait for their rest, and survive garbage", () => {
    for (let cut = 0; cut < good.length - 4; cut++)
      expect(readMessage(good.subarray(0, cut)).kind).toBe("incomplete");
    expect(readMessage(Buffer.from("HTTP/1.1 200 OK\r\n\r\n")).kind).toBe("invalid");
    expect(readMessage(Buffer.from("\0\0garbage")).kind).toBe("invalid");
    expect(readMessage(Buffer.from("RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n")).kind).toBe("invalid");
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readMessage(Buffer.from(bytes))));
  });

  test("of the camera's own asking are told apart", () => {
    expect(readMessage(Buffer.from("OPTIONS rtsp://c RTSP/1.0\r\nCSeq: 7\r\n\r\n"))).toMatchObject({
      kind: "request",
      method: "OPTIONS",
      cseq: "7",
    });
  });
});

describe("SDP", () => {
  const url = "rtsp://h/main";

  test("tells codec, size and rate of the first video", () => {
    const sdp =
      "v=0\r\nm=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=framerate:12.5\r\n" +
      "a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\n";
    expect(readVideo(sdp, url)).toMatchObject({ codec: "h264", fps: 12.5 });
    expect(readVideo("v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n", url)?.codec).toBe("h265");
    expect(readVideo("v=0\r\nm=audio 0 RTP/AVP 0\r\n", url)).toBeNull();
  });

  test("gives the parameter sets of H.264 and H.265", () => {
    const h265 =
      "v=0\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=control:trackID=1\r\n" +
      "a=fmtp:97 sprop-vps=QAEMAQ==; sprop-sps=QgEBAQ==; sprop-pps=RAHA\r\n";
    const media = readVideoMedia(h265);
    expect(media).toMatchObject({ codec: "h265", payloadType: 97, clockRate: 90_000, control: "trackID=1" });
    expect(media?.parameterSets.map((nal) => ((nal[0] as number) >> 1) & 0x3f)).toEqual([32, 33, 34]);
  });

  test("tells the size of H.265 by its parameter set, and no size by a damaged one", () => {
    const sdp = (sps: string): string =>
      `v=0\r\nm=video 0 RTP/AVP 97\r\na=rtpmap:97 H265/90000\r\na=fmtp:97 sprop-sps=${sps}\r\n`;
    const x265 = "QgEBAWAAAAMAkAAAAwAAAwB4oAPAgBEHy5ZWVKTC8BaAgAAAAwCAAAADAoQ=";
    expect(readVideo(sdp(x265), url)).toMatchObject({ codec: "h265", width: 1920, height: 1080 });
    expect(readVideo(sdp("QgEBAQ=="), url)).toMatchObject({ codec: "h265", width: 0, height: 0 });
  });

  test("leads to the host that was asked, whatever host it names", () => {
    expect(controlUrl("trackID=1", "rtsp://h/main/", url)).toBe("rtsp://h/main/trackID=1");
    expect(controlUrl("trackID=1", "rtsp://h/main", url)).toBe("rtsp://h/main/trackID=1");
    expect(controlUrl("rtsp://169.254.169.254:80/x", "rtsp://h/main", url)).toBe("rtsp://h/x");
    expect(controlUrl("*", "rtsp://other/main/", url)).toBe("rtsp://h/main/");
    expect(controlUrl("http://h/x", "nothing", url)).toBeNull();
  });

  test("survives garbage", () => {
    fc.assert(
      fc.property(fc.string(), (text) => void readVideo(`m=video\na=rtpmap:96 H264/9\n${text}`, url)),
    );
  });
});
