/** How much of a camera's stream its rules need. */
import type { Rule, Sampling } from "@huishi/contracts";

/**
 * Rules about what stands still: a picture every few seconds shows it as well as five a second do, for a tenth of the
 * decoding. What moves would be lost between two such pictures.
 */
const ABOUT_STANDING_THINGS: ReadonlySet<Rule["kind"]> = new Set([
  "dwell",
  "abandoned_object",
  "object_removed",
]);
/** Cameras send a keyframe every one to five seconds: so many pictures at least before such a rule decides. */
const LEAST_PERSISTENCE_MS = 30_000;

/** @param sampleFps frames a second for rules about what moves */
export function samplingOf(rules: readonly Rule[], sampleFps: number): Sampling {
  const enabled = rules.filter((rule) => rule.enabled);
  const isEnough = enabled.every(
    (rule) => ABOUT_STANDING_THINGS.has(rule.kind) && rule.persistenceMs >= LEAST_PERSISTENCE_MS,
  );
  return enabled.length > 0 && isEnough ? { kind: "keyframes" } : { kind: "fps", fps: sampleFps };
}
