import { RECORD_FIELDS, type RecordField } from "@huishi/contracts";

// How much of a camera's record (一机一档) is known, and what is missing.

/** Weight of each field: what law or the national network asks for weighs most. Sum is 100. */
export const RECORD_WEIGHTS = {
  manufacturer: 3,
  model: 3,
  firmware: 3,
  serial: 5,
  address: 3,
  hardwareAddress: 3,
  streams: 4,
  measures: 4,
  clockOffset: 2,
  position: 10,
  height: 3,
  heading: 5,
  tilt: 2,
  fieldOfView: 3,
  owner: 8,
  purpose: 9,
  legalBasis: 9,
  siteCategory: 7,
  signPhoto: 5,
  filingNumber: 4,
  gb28181Code: 5,
} as const satisfies Record<RecordField, number>;

export interface Completeness {
  /** 0-100, whole. 100 only when nothing is missing. */
  readonly percent: number;
  /** What is missing, the weightiest first. */
  readonly missing: readonly RecordField[];
}

/** The completeness of a record whose known fields these are. Blank text counts as unknown, 0 as known. */
export function recordCompleteness(known: Readonly<Partial<Record<RecordField, unknown>>>): Completeness {
  const missing = RECORD_FIELDS.filter((field) => !isKnown(known[field])).sort(
    (a, b) => RECORD_WEIGHTS[b] - RECORD_WEIGHTS[a],
  );
  return { percent: 100 - missing.reduce((sum, field) => sum + RECORD_WEIGHTS[field], 0), missing };
}

function isKnown(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (typeof value === "string") return value.trim() !== "";
  if (typeof value === "number") return Number.isFinite(value);
  return !Array.isArray(value) || value.length > 0;
}
