import { joinAnnexB } from "@huishi/media";
import { describe, expect, it } from "vitest";
import { type Picture, VideoStream } from "./video-stream.ts";

/** x264's SPS of a 320x240 baseline picture, and a PPS. */
const SPS = Uint8Array.from(Buffer.from("6742c00dda0507ec0440000003004000000783c50aa8", "hex"));
const PPS = Uint8Array.of(0x68, 0xce, 0x0f, 0xc8);
const keyframe = joinAnnexB([SPS, PPS, Uint8Array.of(0x65, 1)]);
const predicted = joinAnnexB([Uint8Array.of(0x41, 2)]);

describe("a camera's stream", () => {
  it("starts with the first keyframe and keeps the pictures since the last one", async () => {
    const stream = new VideoStream("main", 25);
    stream.publish(predicted, false, 0);
    expect(stream.group).toEqual([]);
    stream.publish(keyframe, true, 40);
    stream.publish(predicted, false, 80);
    await stream.ready();
    expect(stream.group.map((picture) => picture.takenAtMs)).toEqual([40, 80]);
    stream.publish(keyframe, true, 120);
    expect(stream.group.map((picture) => picture.takenAtMs)).toEqual([120]);
    expect(stream.description).toMatchObject({ width: 320, height: 240 });
  });

  it("repeats the last keyframe with new times while frozen, and goes on after it", () => {
    const stream = new VideoStream("main", 25);
    const seen: Picture[] = [];
    stream.subscribe((picture) => seen.push(picture));
    stream.publish(keyframe, true, 0);
    stream.freeze(true);
    for (let ms = 40; ms <= 1000; ms += 40) stream.publish(predicted, false, 10_000 + ms);
    const frozen = seen.slice(1);
    expect(frozen.length).toBeGreaterThanOrEqual(4);
    expect(frozen.length).toBeLessThanOrEqual(6);
    expect(frozen.every((picture) => picture.keyframe)).toBe(true);
    stream.freeze(false);
    stream.publish(keyframe, true, 20_000);
    expect(seen.at(-1)?.takenAtMs).toBe(20_000);
  });
});
