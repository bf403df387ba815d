import { MAX_REHEARSAL_ALARMS, type RehearsalResult, type RehearsalSubject } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";
import { rehearsedAlarm } from "./alarm-log.ts";
import { compareAlarms } from "./compare.ts";
import { RehearsedRule } from "./rehearsed-rule.ts";

/** A rule, and the one that it is compared with, over the same frames. No I/O. */
export class RehearsalRun {
  private readonly subject: RehearsedRule;
  private readonly baseline: RehearsedRule | null;
  private frames = 0;
  /** Ids grow with time: of what is seen twice, only the last few thousand matter. */
  private readonly counted = new TrackCount();

  constructor(rehearsed: {
    readonly cameraId: string;
    readonly subject: RehearsalSubject;
    readonly baseline: RehearsalSubject | null;
  }) {
    this.subject = new RehearsedRule(rehearsed.subject, rehearsed.cameraId);
    this.baseline = rehearsed.baseline && new RehearsedRule(rehearsed.baseline, rehearsed.cameraId);
  }

  update(tracks: readonly Track[], capturedAtMs: number): void {
    this.frames++;
    this.counted.add(tracks);
    this.subject.update(tracks, capturedAtMs);
    this.baseline?.update(tracks, capturedAtMs);
  }

  finish(looked: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly coveredMs: number;
  }): RehearsalResult {
    const alarms = this.subject.finish();
    const compared = this.baseline && compareAlarms(alarms, this.baseline.finish());
    const listed = compared?.alarms ?? alarms.map((alarm) => rehearsedAlarm(alarm, "added"));
    return {
      frames: this.frames,
      tracks: this.counted.size,
      coveredMs: Math.round(looked.coveredMs),
      fromMs: looked.fromMs,
      toMs: looked.toMs,
      raised: this.subject.raised,
      baselineRaised: this.baseline?.raised ?? null,
      added: compared?.added ?? null,
      removed: compared?.removed ?? null,
      alarms: listed.slice(0, MAX_REHEARSAL_ALARMS),
    };
  }
}

/** How many different tracks there were, in bounded memory: living ones are known, ended ones only counted. */
class TrackCount {
  private living = new Set<number>();
  private ended = 0;

  get size(): number {
    return this.ended + this.living.size;
  }

  add(tracks: readonly Track[]): void {
    let isKnown = tracks.length === this.living.size;
    for (const { id } of tracks) isKnown &&= this.living.has(id);
    if (isKnown) return;
    const now = new Set(tracks.filter(({ state }) => state !== "tentative").map(({ id }) => id));
    for (const id of this.living) if (!now.has(id)) this.ended++;
    this.living = now;
  }
}
