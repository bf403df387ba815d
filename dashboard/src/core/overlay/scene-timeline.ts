/**
 * Which boxes belong on the frame that is on the screen. Frames are presented 25 times a second, scenes come 5
 * times a second and after the frame they describe: between two scenes a track is interpolated by capture
 * time, beyond the newest it is carried on for a moment, then no box is drawn rather than a wrong one.
 */
import type { SceneFrame } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";

const KEPT_SCENES = 48;
/** A track is carried on beyond its last scene along its own motion for this long. */
const LONGEST_CARRY_MS = 600;
/** From here on a box is only where something was: it is drawn faint. */
const FAINT_AFTER_MS = 500;
/** After this time without a scene nothing is drawn. */
const LONGEST_HOLD_MS = 1_000;
/** Two scenes further apart than this are not interpolated. */
const LONGEST_STEP_MS = 2_000;

export interface ShownTrack {
  readonly id: string;
  readonly objectClass: string;
  readonly score: number;
  readonly box: Box;
  /** The last scene is too old for this place to be sure. */
  readonly isFaint?: boolean;
}

export class SceneTimeline {
  #scenes: SceneFrame[] = [];

  /** Takes a scene; late ones are put in order, and one for the same frame replaces the other. */
  add(scene: SceneFrame): void {
    let at = this.#scenes.length;
    while (at > 0 && (this.#scenes[at - 1] as SceneFrame).capturedAtMs > scene.capturedAtMs) at -= 1;
    const isSame = at > 0 && this.#scenes[at - 1]?.capturedAtMs === scene.capturedAtMs;
    this.#scenes.splice(isSame ? at - 1 : at, isSame ? 1 : 0, scene);
    if (this.#scenes.length > KEPT_SCENES) this.#scenes.shift();
  }

  /** Capture time of the newest scene; null before the first. */
  get newestMs(): number | null {
    return this.#scenes.at(-1)?.capturedAtMs ?? null;
  }

  /** The tracks as they are on the frame captured at `frameMs`. */
  at(frameMs: number): readonly ShownTrack[] {
    let index = this.#scenes.length - 1;
    while (index >= 0 && (this.#scenes[index] as SceneFrame).capturedAtMs > frameMs) index -= 1;
    const before = this.#scenes[index];
    const after = this.#scenes[index + 1];
    if (!before || frameMs - before.capturedAtMs > LONGEST_HOLD_MS) {
      return after && after.capturedAtMs - frameMs <= LONGEST_CARRY_MS / 2 ? after.tracks : [];
    }
    if (after && after.capturedAtMs - before.capturedAtMs <= LONGEST_STEP_MS) {
      const share = (frameMs - before.capturedAtMs) / (after.capturedAtMs - before.capturedAtMs);
      return blend(before, after, share);
    }
    return this.#carry(before, this.#scenes[index - 1], frameMs);
  }

  #carry(newest: SceneFrame, previous: SceneFrame | undefined, frameMs: number): readonly ShownTrack[] {
    const stepMs = previous ? newest.capturedAtMs - previous.capturedAtMs : 0;
    const behindMs = frameMs - newest.capturedAtMs;
    const isFaint = behindMs > FAINT_AFTER_MS;
    const isCarried = previous !== undefined && stepMs > 0 && stepMs <= LONGEST_STEP_MS;
    const earlier = new Map(isCarried ? previous.tracks.map((track) => [track.id, track]) : []);
    const share = 1 + Math.min(behindMs, LONGEST_CARRY_MS) / (stepMs || 1);
    return newest.tracks.map((track) => {
      const from = earlier.get(track.id);
      return { ...track, isFaint, box: from ? mix(from.box, track.box, share) : track.box };
    });
  }
}

/** Tracks of both scenes at `share` of the way; one that ends or begins is shown for its half of the way. */
function blend(before: SceneFrame, after: SceneFrame, share: number): ShownTrack[] {
  const later = new Map(after.tracks.map((track) => [track.id, track]));
  const shown: ShownTrack[] = [];
  for (const track of before.tracks) {
    const to = later.get(track.id);
    if (to) shown.push({ ...to, box: mix(track.box, to.box, share) });
    else if (share < 0.5) shown.push(track);
    later.delete(track.id);
  }
  if (share >= 0.5) shown.push(...later.values());
  return shown;
}

function mix(from: Box, to: Box, share: number): Box {
  const along = (a: number, b: number): number => a + (b - a) * share;
  return { x: along(from.x, to.x), y: along(from.y, to.y), w: along(from.w, to.w), h: along(from.h, to.h) };
}
