import { MAX_REHEARSAL_ALARMS, type RehearsalResult, type RehearsalSubject } from "@huishi/contracts";
import type { Surroundings } from "../rules/rule-engine.ts";
import type { PictureFacts } from "../rules/scene-facts.ts";
import type { Track } from "../tracker/track.ts";
import { rehearsedAlarm } from "./alarm-log.ts";
import { compareAlarms } from "./compare.ts";
import type { Span } from "./frame-timeline.ts";
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
    readonly surroundings?: Surroundings;
  }) {
    const { cameraId, subject, baseline, surroundings } = rehearsed;
    this.subject = new RehearsedRule(subject, cameraId, surroundings);
    this.baseline = baseline && new RehearsedRule(baseline, cameraId, surroundings);
  }

  update(tracks: readonly Track[], capturedAtMs: number, picture: PictureFacts = {}): void {
    this.frames++;
    this.counted.add(tracks);
    this.subject.update(tracks, capturedAtMs, picture);
    this.baseline?.update(tracks, capturedAtMs, picture);
  }

  finish(
    looked: Pick<RehearsalResult, "fromMs" | "toMs" | "coveredMs"> & {
      readonly looked: readonly Span[];
    },
  ): RehearsalResult {
    const alarms = this.subject.finish();
    const compared = this.baseline && compareAlarms(alarms, this.baseline.finish());
    const listed = compared?.alarms ?? alarms.map((alarm) => rehearsedAlarm(alarm, "added"));
    return {
      frames: this.frames,
      tracks: this.counted.size,
      coveredMs: Math.round(looked.coveredMs),
      fromMs: looked.fromMs,
      toMs: looked.toMs,
      looked: [...looked.looked],
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
