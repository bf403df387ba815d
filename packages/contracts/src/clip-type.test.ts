import { describe, expect, it } from "vitest";
import { clipTypeOf } from "./clip-type.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const ts = new Uint8Array(192);
ts[0] = ts[188] = 0x47;

describe("a clip's type", () => {
  it.each([
    ["mp4", bytes("\0\0\0\x20ftypisom")],
    ["matroska", bytes("\x1aE\xdf\xa3\x01\0\0\0")],
    ["avi", bytes("RIFF\0\0\0\0AVI LIST")],
    ["mpegts", ts],
    ["h264", bytes("\0\0\0\x01\x67\x42\0\x1e")],
    ["h264", bytes("\0\0\x01\x09\xf0\0\0\x01")],
  ])("%s is told by its bytes", (type, given) => expect(clipTypeOf(given)).toBe(type));

  it.each([
    ["nothing", bytes("")],
    ["a playlist", bytes("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd")],
    ["a concat script", bytes("ffconcat version 1.0\nfile /etc/passwd")],
    ["a picture", bytes("\xff\xd8\xff\xe0")],
    ["a web page", bytes("<!doctype html>")],
    ["a start code with anything behind it", bytes("\0\0\0\x01\xff\xff")],
  ])("%s is none", (_what, given) => expect(clipTypeOf(given)).toBeNull());
});
