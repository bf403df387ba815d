import { type Box, iou } from "@huishi/kernel";
import type { Blob } from "./static-blobs.ts";
import type { StaticRegion } from "./static-region.ts";

/** A region that is not found again for this long is forgotten; until then it goes on where it was. */
const FORGOTTEN_MS = 30_000;
const SAME_REGION_IOU = 0.3;
/** Weight of one look at the edges against what was seen before. */
const NEW_LOOK = 0.2;
/** When a blob is found, its pixels have been static for this long already. */
const STATIC_MS = 5_000;
/** Regions that are followed at once; the largest blobs come first. */
const MOST_REGIONS = 32;

interface Followed {
  readonly id: number;
  readonly sinceMs: number;
  lastMs: number;
  box: Box;
  edges: number;
  /** It is an object that is only not followed any more. */
  readonly excused: boolean;
}

/** Which static regions are the same from picture to picture, and since when. */
export class RegionMemory {
  private readonly absorbMs: number;
  private followed: Followed[] = [];
  private lastId = 0;

  constructor(absorbMs: number) {
    this.absorbMs = absorbMs;
  }

  /** @returns the regions to report, and the pixels that belong to the background from now on */
  update(
    blobs: readonly Blob[],
    capturedAtMs: number,
    isExcused: (box: Box) => boolean,
  ): { readonly regions: StaticRegion[]; readonly absorbed: readonly number[] } {
    const absorbed: number[] = [];
    const free = new Set(this.followed);
    const regions: StaticRegion[] = [];
    for (const blob of blobs.slice(0, MOST_REGIONS)) {
      const known = best(blob.box, free) ?? this.begin(blob, capturedAtMs, isExcused(blob.box));
      free.delete(known);
      known.lastMs = capturedAtMs;
      known.box = blob.box;
      known.edges += NEW_LOOK * (blob.edges - known.edges);
      if (capturedAtMs - known.sinceMs >= this.absorbMs) absorbed.push(...blob.pixels);
      else if (!known.excused) regions.push(regionOf(known));
    }
    this.followed = this.followed.filter(({ lastMs }) => capturedAtMs - lastMs < FORGOTTEN_MS);
    return { regions, absorbed };
  }

  private begin(blob: Blob, capturedAtMs: number, excused: boolean): Followed {
    const region: Followed = {
      id: ++this.lastId,
      sinceMs: capturedAtMs - STATIC_MS,
      lastMs: capturedAtMs,
      box: blob.box,
      edges: blob.edges,
      excused,
    };
    this.followed.push(region);
    return region;
  }
}

function best(box: Box, among: ReadonlySet<Followed>): Followed | undefined {
  let found: Followed | undefined;
  let overlap = SAME_REGION_IOU;
  for (const region of among) {
    const shared = iou(region.box, box);
    if (shared < overlap) continue;
    overlap = shared;
    found = region;
  }
  return found;
}

function regionOf({ id, sinceMs, box, edges }: Followed): StaticRegion {
  return {
    id,
    kind: edges >= 0 ? "appeared" : "vanished",
    box,
    sinceMs,
    score: Math.min(1, 2 * Math.abs(edges)),
  };
}
