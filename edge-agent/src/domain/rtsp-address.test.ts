import { describe, expect, test } from "vitest";
import { onHost, parseRtspAddress, shortAddress } from "./rtsp-address.ts";

describe("RTSP addresses", () => {
  test("give up their credentials", () => {
    expect(parseRtspAddress("rtsp://user:p%40ss@10.0.0.7/main?ch=1")).toEqual({
      url: "rtsp://10.0.0.7/main?ch=1",
      host: "10.0.0.7",
      port: 554,
      isSecure: false,
      username: "user",
      password: "p@ss",
    });
    expect(parseRtspAddress("rtsps://[fe80::1]:8554/x")).toMatchObject({
      host: "fe80::1",
      port: 8554,
      isSecure: true,
    });
  });

  test.each([
    "file:///etc/passwd",
    "http://10.0.0.7/",
    "concat:a|b",
    "rtsp://",
    "rtsp://h/a\nb",
    "",
    "pipe:0",
  ])("refuse %j", (text) => {
    expect(() => parseRtspAddress(text)).toThrow(expect.objectContaining({ code: "RTSP_URL_REFUSED" }));
  });

  test("that a camera names are used on the host it was reached by", () => {
    expect(onHost("rtsp://u:p@169.254.169.254:8554/main?x=1", "10.0.0.7")).toBe(
      "rtsp://10.0.0.7:8554/main?x=1",
    );
    expect(onHost("rtsp://0.0.0.0/main", "fe80::1")).toBe("rtsp://[fe80::1]/main");
  });

  test("are shortened for logs without their query, where tokens stand", () => {
    expect(shortAddress("rtsp://u:p@h:8554/live/1?token=abc")).toBe("h:8554/live/1");
  });
});
