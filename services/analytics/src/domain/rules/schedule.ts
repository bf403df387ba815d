import type { Schedule } from "@huishi/contracts";

/** A moment on a wall clock: weekday 1 = Monday .. 7 = Sunday, minute of the day 0..1439. */
export interface LocalTime {
  readonly day: number;
  readonly minute: number;
}

/** Tells the wall-clock time of an IANA time zone at a moment. */
export type LocalClock = (epochMs: number, timeZone: string) => LocalTime;

const DAYS: Readonly<Record<string, number>> = { Mon: 1, Tue: 2, Wed: 3, Thu: 4, Fri: 5, Sat: 6, Sun: 7 };

/** A local clock by the runtime's own time zone data. A zone that it does not know counts as UTC. */
export function intlClock(): LocalClock {
  const formats = new Map<string, Intl.DateTimeFormat>();
  const formatOf = (timeZone: string): Intl.DateTimeFormat => {
    let format = formats.get(timeZone);
    if (format === undefined) {
      format = formatIn(timeZone) ?? formatIn("UTC")!;
      formats.set(timeZone, format);
    }
    return format;
  };
  return (epochMs, timeZone) => {
    const parts = formatOf(timeZone).formatToParts(epochMs);
    const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
    return { day: DAYS[part("weekday")] ?? 1, minute: Number(part("hour")) * 60 + Number(part("minute")) };
  };
}

function formatIn(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  } catch {
    return null;
  }
}

/** Is the schedule on at this local time? A span over midnight belongs to the day on which it begins. */
export function isArmed(schedule: Schedule, { day, minute }: LocalTime): boolean {
  const { days, fromMinute, toMinute } = schedule;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  const yesterday = day === 1 ? 7 : day - 1;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(yesterday) && minute < toMinute);
}
