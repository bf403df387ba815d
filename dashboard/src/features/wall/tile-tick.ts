/** Writes what changes all the time on a tile, without rendering: capture time, age, lateness. */
import type { Camera } from "@huishi/contracts";
import type { Words } from "../../core/i18n/catalogue.ts";
import { pictureAgeMs, type TileState } from "../../core/live/tile-state.ts";
import type { TileTick } from "../../ui/use-tile-state.ts";

/** The words of a picture's age in its state; empty when the state has none to tell. */
function ageWords(tick: TileTick, camera: Pick<Camera, "conditionSinceMs">, words: Words): string {
  const { facts, nowMs, state } = tick;
  const { t, age } = words;
  if (facts.frame && SHOWS_PICTURE_AGE.has(state))
    return t.tile.lastPicture(age(pictureAgeMs(facts.frame, nowMs)));
  if (state === "connecting") {
    const waitedMs = nowMs - facts.waitingSinceMs;
    return waitedMs > 3_000 ? t.tile.noPictureYet(age(waitedMs)) : "";
  }
  if (SHOWS_CONDITION_AGE.has(state) && camera.conditionSinceMs !== null)
    return t.tile.since(age(nowMs - camera.conditionSinceMs));
  return "";
}

const SHOWS_PICTURE_AGE: ReadonlySet<TileState> = new Set<TileState>([
  "stale",
  "socket_lost",
  "agent_offline",
  "camera_offline",
  "auth_failed",
  "unreachable",
  "no_frames",
]);
const SHOWS_CONDITION_AGE: ReadonlySet<TileState> = new Set<TileState>([
  "camera_offline",
  "auth_failed",
  "unreachable",
  "no_frames",
]);

export function writeTick(
  root: HTMLElement | null,
  tick: TileTick,
  { camera, words }: { camera: Camera; words: Words },
): void {
  if (!root) return;
  const { facts, nowMs, state } = tick;
  write(root, "age", ageWords(tick, camera, words));
  write(root, "time", facts.frame ? words.time(facts.frame.capturedAtMs) : "");
  const late = root.querySelector<HTMLElement>('[data-tick="late"]');
  if (late) {
    late.hidden = state !== "delayed";
    if (facts.frame && !late.hidden)
      setText(late, words.t.tile.late(words.age(pictureAgeMs(facts.frame, nowMs))));
  }
  if (facts.frame) root.dataset["capturedMs"] = String(facts.frame.capturedAtMs);
}

function write(root: HTMLElement, name: string, text: string): void {
  const element = root.querySelector<HTMLElement>(`[data-tick="${name}"]`);
  if (element) setText(element, text);
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
