import type { RehearsalSubject } from "@huishi/contracts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SQUARE, UPWARDS, ruleOf, trackAt } from "../test-support/rules.ts";
import type { LoggedAlarm } from "./alarm-log.ts";
import { compareAlarms } from "./compare.ts";
import { RehearsalRun } from "./rehearsal-run.ts";

const T0 = 1_700_000_000_000;

function subjectOf(
  kind: "intrusion" | "line_crossing",
  overrides: Parameters<typeof ruleOf>[1] = {},
): RehearsalSubject {
  const {
    id: _id,
    cameraId: _cameraId,
    zoneId: _zoneId,
    version: _version,
    ...rule
  } = ruleOf(kind, overrides);
  const zone = kind === "line_crossing" ? UPWARDS : SQUARE;
  return { zone: { kind: zone.kind, points: [...zone.points] }, rule };
}

/** Track 1 stands in the square for five seconds from T0 on, track 2 for two seconds a minute later. */
function play(run: RehearsalRun): ReturnType<RehearsalRun["finish"]> {
  for (let t = 0; t < 90_000; t += 200) {
    const tracks = [
      ...(t < 5_000 ? [trackAt(1, 0.5, 0.5)] : []),
      ...(t >= 70_000 && t < 72_000 ? [trackAt(2, 0.5, 0.5)] : []),
    ];
    run.update(tracks, T0 + t);
  }
  return run.finish({ fromMs: T0, toMs: T0 + 90_000, coveredMs: 90_000, looked: [] });
}

describe("a rehearsal", () => {
  it("tells what the rule would have raised, from when to when, and what was looked at", () => {
    const subject = subjectOf("intrusion", { persistenceMs: 1_000, dedupeMs: 10_000 });
    expect(play(new RehearsalRun({ cameraId: "cam-1", subject, baseline: null }))).toMatchObject({
      frames: 450,
      tracks: 2,
      raised: 2,
      baselineRaised: null,
      added: null,
      alarms: [
        {
          startedAtMs: T0,
          capturedAtMs: T0 + 1_000,
          clearedAtMs: T0 + 6_800,
          trackIds: ["1"],
          compared: "added",
        },
        { capturedAtMs: T0 + 71_000, trackIds: ["2"] },
      ],
    });
  });

  it("shows what a changed threshold changes", () => {
    const subject = subjectOf("intrusion", { persistenceMs: 3_000, dedupeMs: 10_000 });
    const baseline = subjectOf("intrusion", { persistenceMs: 1_000, dedupeMs: 10_000 });
    const result = play(new RehearsalRun({ cameraId: "cam-1", subject, baseline }));
    expect(result).toMatchObject({ raised: 1, baselineRaised: 2, added: 0, removed: 1 });
    expect(result.alarms.map(({ compared }) => compared)).toEqual(["both", "removed"]);
  });

  it("is the same for a rule that is switched off", () => {
    const subject = subjectOf("intrusion", { persistenceMs: 1_000, dedupeMs: 10_000, enabled: false });
    expect(play(new RehearsalRun({ cameraId: "cam-1", subject, baseline: null })).raised).toBe(2);
  });

  it("counts what follows within dedupeMs as occurrences of one alarm", () => {
    const subject = subjectOf("intrusion", { persistenceMs: 1_000, dedupeMs: 600_000 });
    const { alarms } = play(new RehearsalRun({ cameraId: "cam-1", subject, baseline: null }));
    expect(alarms).toMatchObject([{ occurrences: 2, trackIds: ["1", "2"] }]);
  });

  it("lists line crossings as moments", () => {
    const subject = subjectOf("line_crossing", { dedupeMs: 0 });
    const run = new RehearsalRun({ cameraId: "cam-1", subject, baseline: null });
    for (const [k, x] of [0.3, 0.45, 0.55, 0.7].entries()) run.update([trackAt(1, x, 0.5)], T0 + k * 200);
    const { alarms } = run.finish({ fromMs: T0, toMs: T0 + 1_000, coveredMs: 800, looked: [] });
    expect(alarms).toMatchObject([{ capturedAtMs: T0 + 400, clearedAtMs: null, occurrences: 1 }]);
  });

  it("lists at most 500 alarms and counts all", () => {
    const subject = subjectOf("line_crossing", { dedupeMs: 0 });
    const run = new RehearsalRun({ cameraId: "cam-1", subject, baseline: null });
    for (let k = 0; k < 1_400; k++) run.update([trackAt(1, k % 2 === 0 ? 0.3 : 0.7, 0.5)], T0 + k * 1_000);
    const result = run.finish({ fromMs: T0, toMs: T0 + 1_400_000, coveredMs: 1_400_000, looked: [] });
    expect(result.alarms).toHaveLength(500);
    expect(result.raised).toBe(1_399);
  });
});

const row = fc
  .array(
    fc.record({ pause: fc.integer({ min: 1, max: 20_000 }), length: fc.nat(20_000), track: fc.nat(5) }),
    {
      maxLength: 30,
    },
  )
  .map((steps): LoggedAlarm[] => {
    let atMs = 0;
    return steps.map(({ pause, length, track }) => {
      const startedAtMs = (atMs += pause);
      atMs += length;
      return {
        startedAtMs,
        capturedAtMs: startedAtMs,
        clearedAtMs: atMs,
        endMs: atMs,
        occurrences: 1,
        objectClass: "person",
        score: 0.5,
        box: { x: 0, y: 0, w: 0.1, h: 0.1 },
        trackIds: [track],
      };
    });
  });

describe("a comparison", () => {
  it("gives every alarm once, and partners in equal number", () => {
    fc.assert(
      fc.property(row, row, (subject, baseline) => {
        const { alarms, added, removed } = compareAlarms(subject, baseline);
        const both = alarms.filter(({ compared }) => compared === "both").length;
        expect(both + added).toBe(subject.length);
        expect(both + removed).toBe(baseline.length);
        expect(alarms.map(({ capturedAtMs }) => capturedAtMs)).toEqual(
          alarms.map(({ capturedAtMs }) => capturedAtMs).sort((a, b) => a - b),
        );
      }),
    );
  });

  it("finds no difference between a run and itself", () => {
    fc.assert(
      fc.property(row, (alarms) => {
        expect(compareAlarms(alarms, alarms)).toMatchObject({ added: 0, removed: 0 });
      }),
    );
  });
});
