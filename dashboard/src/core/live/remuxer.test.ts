import type { AccessUnit } from "@huishi/contracts";
import { joinAnnexB } from "@huishi/media";
import { describe, expect, it } from "vitest";
import { type MediaSegment, Remuxer, type RemuxResult } from "./remuxer.ts";

/** SPS and PPS of a 64x64 baseline picture, as x264 writes them. */
const SPS = Uint8Array.from([
  0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xca,
  0x3c, 0x48, 0x99, 0x20,
]);
const PPS = Uint8Array.from([0x68, 0xcb, 0x83, 0xcb, 0x20]);
const IDR = Uint8Array.from([0x65, 1, 2, 3]);
const SLICE = Uint8Array.from([0x41, 1, 2, 3]);

function unit(unitNumber: number, ptsMs: number, change: Partial<AccessUnit> = {}): AccessUnit {
  const keyframe = change.keyframe ?? false;
  return {
    codec: "h264",
    keyframe,
    discontinuity: false,
    unitNumber,
    capturedAtMs: 1_000_000 + ptsMs,
    ptsMs,
    data: joinAnnexB(keyframe ? [SPS, PPS, IDR] : [SLICE]),
    ...change,
  };
}
const key = (unitNumber: number, ptsMs: number, change = {}): AccessUnit =>
  unit(unitNumber, ptsMs, { keyframe: true, ...change });
const segment = (result: RemuxResult): MediaSegment => {
  if ("dropped" in result) throw new Error(`dropped: ${result.dropped}`);
  return result;
};

describe("Remuxer", () => {
  it("joins at a keyframe and brings the configuration once", () => {
    const remuxer = new Remuxer();
    expect(remuxer.push(unit(0, 0))).toEqual({ dropped: "waits_for_keyframe" });
    const first = segment(remuxer.push(key(1, 40)));
    expect(first.init?.codec).toBe("avc1.42c00a");
    expect(first.capturedAtMs).toBe(1_000_040);
    expect(segment(remuxer.push(unit(2, 80))).init).toBeNull();
    expect(segment(remuxer.push(key(3, 120))).init).toBeNull();
  });

  it("keeps the source's own pace", () => {
    const remuxer = new Remuxer();
    const times = [key(0, 5_000), unit(1, 5_040), unit(2, 5_200)].map(
      (each) => segment(remuxer.push(each)).mediaTimeS,
    );
    expect(times).toEqual([0, 0.04, 0.2]);
  });

  it("closes a gap, for a hole in the buffer would stop the picture", () => {
    const remuxer = new Remuxer();
    remuxer.push(key(0, 0));
    expect(remuxer.push(unit(9, 60_000))).toEqual({ dropped: "waits_for_keyframe" });
    const joined = segment(remuxer.push(key(10, 61_000)));
    expect(joined.mediaTimeS).toBeLessThan(0.1);
    expect(joined.mediaTimeS).toBeGreaterThan(0);
    expect(joined.capturedAtMs).toBe(1_061_000);
  });

  it("goes on forward when the source starts anew", () => {
    const remuxer = new Remuxer();
    remuxer.push(key(100, 900_000));
    expect(segment(remuxer.push(key(0, 0))).mediaTimeS).toBeCloseTo(0.04);
    expect(segment(remuxer.push(unit(1, 40))).mediaTimeS).toBeCloseTo(0.08);
  });

  it("waits for a keyframe after a marked discontinuity", () => {
    const remuxer = new Remuxer();
    remuxer.push(key(0, 0));
    expect(remuxer.push(unit(1, 40, { discontinuity: true }))).toEqual({ dropped: "waits_for_keyframe" });
    expect(remuxer.push(unit(2, 80))).toEqual({ dropped: "waits_for_keyframe" });
    expect(segment(remuxer.push(key(3, 120))).keyframe).toBe(true);
  });

  it("follows presentation times over their wrap and numbers over theirs", () => {
    const remuxer = new Remuxer();
    remuxer.push(key(0xffff_ffff, 0xffff_fff0));
    expect(segment(remuxer.push(unit(0, 24))).mediaTimeS).toBeCloseTo(0.04);
  });

  it("keeps decode times rising when pictures are reordered", () => {
    const remuxer = new Remuxer();
    const times = [key(0, 0), unit(1, 120), unit(2, 40), unit(3, 80), unit(4, 240)].map(
      (each) => segment(remuxer.push(each)).mediaTimeS,
    );
    expect(times.map((time) => Math.round(time * 1_000))).toEqual([0, 120, 40, 80, 240]);
  });

  it("says what it cannot play and survives garbage", () => {
    const remuxer = new Remuxer();
    expect(remuxer.push(key(0, 0, { codec: "h265" }))).toEqual({ dropped: "codec_unsupported" });
    const broken = joinAnnexB([Uint8Array.of(0x67, 1), PPS, IDR]);
    expect(remuxer.push(key(1, 0, { data: broken }))).toEqual({ dropped: "damaged" });
    expect(segment(remuxer.push(key(2, 40))).init).not.toBeNull();
  });
});
