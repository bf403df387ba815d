import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { AccessUnit, MediaBus, StreamKey } from "@huishi/contracts";
import type { Analytics } from "../compose.ts";

const SHARED = fileURLToPath(new URL("../../../../../shared/", import.meta.url));

/** Path of a real clip, or null with a line that says so where it cannot be had. */
export function findFootage(name: string): string | null {
  return found(path.join(process.env["HUISHI_MEDIA"] ?? path.join(SHARED, "media"), name));
}

/** Ground truth of a MOTChallenge sequence. */
export function findGroundTruth(sequence: string): string | null {
  return found(path.join(process.env["HUISHI_MOT"] ?? path.join(SHARED, "mot15"), sequence, "gt.txt"));
}

function found(file: string): string | null {
  if (existsSync(file)) return file;
  process.stderr.write(`skipped, ${path.basename(file)} is not here (HUISHI_MEDIA, HUISHI_MOT)\n`);
  return null;
}

const SAMPLE_FPS = 5;
/** Samples that may be under way: the clip is played as fast as the analysis goes, not faster. */
const UNDER_WAY = 2;

/** So many times as fast as it was filmed; faster, the analysis would have to spare itself looks. */
const SPEED = 2;

/** Plays a clip once; resolves when it was analysed. */
export async function playThrough(
  clip: readonly AccessUnit[],
  to: { readonly mediaBus: MediaBus; readonly key: StreamKey; readonly analytics: Analytics },
): Promise<void> {
  const startMs = clip[0]?.capturedAtMs ?? 0;
  const playedFromMs = performance.now();
  for (const unit of clip) {
    const dueMs = playedFromMs + (unit.capturedAtMs - startMs) / SPEED;
    if (dueMs > performance.now()) await pause(dueMs - performance.now());
    to.mediaBus.publish(to.key, unit);
    const played = ((unit.capturedAtMs - startMs) / 1_000) * SAMPLE_FPS;
    for (let waits = 0; waits < 500 && played - done(to.analytics) > UNDER_WAY; waits++) await pause(10);
  }
  await pause(500);
}

/** Samples that are over with: analysed or dropped. */
function done(analytics: Analytics): number {
  const { framesAnalysed, dropped } = analytics.stats();
  return framesAnalysed + Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
