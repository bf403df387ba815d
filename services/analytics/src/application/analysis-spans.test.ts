import { describe, expect, it } from "vitest";
import { AnalysisSpans, type AnalysisSpan } from "./analysis-spans.ts";
import { FaultLog } from "./fault-log.ts";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

function spansInto(written: AnalysisSpan[], isAway: () => boolean = () => false): AnalysisSpans {
  return new AnalysisSpans({
    faults: new FaultLog(silent),
    store: {
      writeSpans: (spans) => {
        if (isAway()) return Promise.reject(new Error("away"));
        written.push(...spans);
        return Promise.resolve();
      },
    },
  });
}

describe("the spans of analysis", () => {
  it("grow with the frames and begin anew after a gap", async () => {
    const written: AnalysisSpan[] = [];
    const spans = spansInto(written);
    for (const ms of [1_000, 2_000, 3_000, 60_000, 60_200]) spans.saw(7, ms);
    await spans.close();
    expect(written).toEqual([
      { cameraNo: 7, beganMs: 1_000, untilMs: 3_000, frames: 3 },
      { cameraNo: 7, beganMs: 60_000, untilMs: 60_200, frames: 2 },
    ]);
  });

  it("do not shrink by a late frame, and follow a clock that was set back", async () => {
    const written: AnalysisSpan[] = [];
    const spans = spansInto(written);
    for (const ms of [100_000, 101_000, 100_500, 20_000, 20_200]) spans.saw(7, ms);
    await spans.close();
    expect(written).toEqual([
      { cameraNo: 7, beganMs: 100_000, untilMs: 101_000, frames: 2 },
      { cameraNo: 7, beganMs: 20_000, untilMs: 20_200, frames: 2 },
    ]);
  });

  it("are ten minutes at most, so that their frames tell the rate of that time", async () => {
    const written: AnalysisSpan[] = [];
    const spans = spansInto(written);
    for (let ms = 0; ms <= 601_000; ms += 1_000) spans.saw(7, ms);
    await spans.close();
    expect(written).toEqual([
      { cameraNo: 7, beganMs: 0, untilMs: 600_000, frames: 601 },
      { cameraNo: 7, beganMs: 601_000, untilMs: 601_000, frames: 1 },
    ]);
  });

  it("are written later when the database was away", async () => {
    const written: AnalysisSpan[] = [];
    let isAway = true;
    const spans = spansInto(written, () => isAway);
    spans.saw(7, 1_000);
    await spans.flush();
    isAway = false;
    spans.saw(7, 2_000);
    spans.saw(8, 2_000);
    await spans.close();
    expect(written).toHaveLength(2);
    expect(written).toContainEqual({ cameraNo: 7, beganMs: 1_000, untilMs: 2_000, frames: 2 });
  });
});
