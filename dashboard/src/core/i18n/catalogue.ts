/** The languages, their catalogues, and how each writes times and numbers. */
import type { en } from "./en.ts";

export type Catalogue = typeof en;
export const LANGUAGES = ["zh-CN", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** The language somebody chose before, else the browser's first one that we speak, else English. */
export function chooseLanguage(stored: string | null, wanted: readonly string[]): Language {
  if (stored === "zh-CN" || stored === "en") return stored;
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh-CN";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** Words, numbers, times and ages in one language. */
export interface Words {
  readonly language: Language;
  readonly t: Catalogue;
  readonly number: (value: number) => string;
  readonly percent: (share: number) => string;
  /** Time of day to the second. */
  readonly time: (epochMs: number) => string;
  /** Date and time to the second. */
  readonly dateTime: (epochMs: number) => string;
  /** Time of day to the minute. */
  readonly clock: (epochMs: number) => string;
  /** Month and day. */
  readonly day: (epochMs: number) => string;
  /** A length of time as short as it can be said: milliseconds to days. */
  readonly length: (lengthMs: number) => string;
  /** Short day name; 1 = Monday. */
  readonly weekday: (day: number) => string;
  /** A length of time to the second below an hour. */
  readonly age: (lengthMs: number) => string;
  readonly alarmClass: (slug: string) => string;
  readonly objectClass: (slug: string) => string;
  readonly observedProperty: (slug: string) => string;
  /** A measured value with its unit. */
  readonly measure: (value: number, unit: string) => string;
  /** A camera's note, translated when it is one of the simulator's. */
  readonly note: (text: string) => string;
  /** The words for an error's code, else the server's own message. */
  readonly error: (code: string, message: string) => string;
}

/** How people write units that UCUM writes for machines. */
const SHOWN_UNITS: Readonly<Record<string, string>> = {
  "1": "",
  Cel: "°C",
  "[degF]": "°F",
  deg: "°",
  "ug/m3": "µg/m³",
  "mg/m3": "mg/m³",
  "[pH]": "pH",
  "[NTU]": "NTU",
  "[in_i]": "in",
  "[ft_i]": "ft",
};
const shownUnit = (unit: string): string => SHOWN_UNITS[unit] ?? unit;

const LENGTH_UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** In the largest unit of which there is at least one, two digits of it below ten. */
function shortLength(language: Language, lengthMs: number): string {
  const [unit, unitMs] = LENGTH_UNITS.find(([, ms]) => lengthMs >= ms) ?? (["second", 1_000] as const);
  const value = lengthMs / unitMs;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

export function createWords(language: Language, t: Catalogue): Words {
  const integer = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const decimal = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
  const time = new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const dateTime = new Intl.DateTimeFormat(language, {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(language, { month: "2-digit", day: "2-digit" });
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });
  const number = (value: number): string => integer.format(value);
  return {
    language,
    t,
    number,
    percent: (share) => percent.format(share),
    time: (epochMs) => time.format(epochMs),
    dateTime: (epochMs) => dateTime.format(epochMs),
    clock: (epochMs) => clock.format(epochMs),
    day: (epochMs) => day.format(epochMs),
    length: (lengthMs) => shortLength(language, lengthMs),
    // 2024-01-01 was a Monday.
    weekday: (day) => weekday.format(Date.UTC(2024, 0, day)),
    age: (lengthMs) => {
      const s = Math.max(0, Math.floor(lengthMs / 1_000));
      if (s < 60) return t.age.seconds(number(s));
      if (s < HOUR_S) return t.age.minutes(number(Math.floor(s / 60)), number(s % 60));
      if (s < DAY_S)
        return t.age.hours(number(Math.floor(s / HOUR_S)), number(Math.floor((s % HOUR_S) / 60)));
      return t.age.days(number(Math.floor(s / DAY_S)), number(Math.floor((s % DAY_S) / HOUR_S)));
    },
    alarmClass: (slug) => t.alarmClass[slug] ?? slug,
    observedProperty: (slug) => t.observedProperty[slug] ?? slug,
    measure: (value, unit) => [decimal.format(value), shownUnit(unit)].filter(Boolean).join("\u00a0"),
    objectClass: (slug) => t.objectClass[slug] ?? slug,
    note: (text) => {
      const file = /^plays (.+)$/.exec(text)?.[1];
      return file === undefined ? (t.notes[text] ?? text) : t.playsFile(file);
    },
    error: (code, message) => t.errors[code] ?? (message || t.errors.unknown),
  };
}
