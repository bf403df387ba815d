import { Type } from "typebox";
import { EpochMs } from "./common.ts";

/** Where a page ended, as the server wrote it into `next`; opaque to clients. */
export const PageCursor = Type.String({ pattern: "^[A-Za-z0-9_-]{1,400}$" });
export const NextCursor = Type.Union([PageCursor, Type.Null()], {
  description: "Give it back as `after` for the next page; null at the end.",
});

/** Half open: `fromMs` <= time < `toMs`. Both are needed: no question goes over all of time. */
export const timeRange = { fromMs: EpochMs, toMs: EpochMs };
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Decimal text of a signed 64-bit number. Tracks that the edge numbered are below zero. */
export const TrackId = Type.String({ pattern: "^-?[0-9]{1,19}$" });

/** A page's length. */
export const pageLimit = (maximum: number, byDefault: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: byDefault }));
