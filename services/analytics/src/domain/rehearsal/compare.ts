import type { RehearsedAlarm } from "@huishi/contracts";
import { type LoggedAlarm, rehearsedAlarm } from "./alarm-log.ts";

/** Two runs that see the same thing may say it this far apart. */
const SLACK_MS = 1_000;

export interface Comparison {
  /** In order of time. */
  readonly alarms: readonly RehearsedAlarm[];
  readonly added: number;
  readonly removed: number;
}

/**
 * Which alarms both runs raised. Two alarms are the same when their times overlap and they share a track; of what is left,
 * when their times overlap and they are of one class (one rule has one alarm open at a time, so that another track only
 * means that somebody else came first). Each has at most one partner.
 */
export function compareAlarms(subject: readonly LoggedAlarm[], baseline: readonly LoggedAlarm[]): Comparison {
  const partnerOf = new Map<LoggedAlarm, LoggedAlarm>();
  const taken = new Set<LoggedAlarm>();
  const pair = (isSame: (a: LoggedAlarm, b: LoggedAlarm) => boolean): void => {
    forOverlapping(subject, baseline, (a, b) => {
      if (partnerOf.has(a) || taken.has(b) || !isSame(a, b)) return;
      partnerOf.set(a, b);
      taken.add(b);
    });
  };
  pair((a, b) => a.trackIds.some((id) => b.trackIds.includes(id)));
  pair((a, b) => a.objectClass === b.objectClass);
  const gone = baseline.filter((alarm) => !taken.has(alarm));
  const alarms = [
    ...subject.map((alarm) => rehearsedAlarm(alarm, partnerOf.has(alarm) ? "both" : "added")),
    ...gone.map((alarm) => rehearsedAlarm(alarm, "removed")),
  ].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  return { alarms, added: subject.length - partnerOf.size, removed: gone.length };
}

/** Calls for every pair whose times overlap, the earliest first. Both lists are in order of time. */
function forOverlapping(
  first: readonly LoggedAlarm[],
  second: readonly LoggedAlarm[],
  visit: (a: LoggedAlarm, b: LoggedAlarm) => void,
): void {
  let begin = 0;
  for (const a of first) {
    // Alarms of one run follow each other: what ended before this one began is over for all that follow.
    while (begin < second.length && second[begin]!.endMs + SLACK_MS < a.startedAtMs) begin++;
    for (let k = begin; k < second.length && second[k]!.startedAtMs <= a.endMs + SLACK_MS; k++)
      visit(a, second[k]!);
  }
}
