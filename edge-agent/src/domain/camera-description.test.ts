import { describe, expect, test } from "vitest";
import { type OfferedStream, chooseStreams } from "./camera-description.ts";

const stream = (url: string, width: number, height: number, codec: OfferedStream["codec"] = "h264") => ({
  url: `rtsp://c/${url}`,
  width,
  height,
  codec,
});
const names = (streams: OfferedStream[]) =>
  chooseStreams(streams).map(({ profile, url }) => `${profile}:${url.slice(9)}`);

describe("chooseStreams", () => {
  test("takes the largest H.264 picture as main and the smallest of 320 and more as sub", () => {
    expect(names([stream("s", 640, 360), stream("tiny", 176, 144), stream("m", 1920, 1080)])).toEqual([
      "main:m",
      "sub:s",
    ]);
  });

  test("takes H.264 before H.265, but not the poorer half of the picture for it", () => {
    expect(names([stream("m", 3840, 2160, "h265"), stream("s", 640, 360)])).toEqual(["main:m", "sub:s"]);
    expect(names([stream("a", 1920, 1080, "h265"), stream("b", 1920, 1080)])).toEqual(["main:b"]);
    expect(names([stream("m", 3840, 2160, "h265"), stream("s", 640, 360, "h265")])).toEqual([
      "main:m",
      "sub:s",
    ]);
    expect(names([stream("m", 3840, 2160, "h265")])).toEqual(["main:m"]);
  });

  test("keeps what a person said is main and sub, whatever their sizes", () => {
    const configured = [
      { ...stream("m", 0, 0), profile: "main" as const },
      { ...stream("s", 0, 0), profile: "sub" as const },
    ];
    expect(names(configured)).toEqual(["main:m", "sub:s"]);
  });
});
