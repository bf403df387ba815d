export * from "./detection.ts";
export * from "./merge-detections.ts";
export * from "./motion-gate.ts";
export * from "./regions.ts";
export * from "./rules/outcome.ts";
export * from "./rules/rule-engine.ts";
export * from "./tracker/track.ts";
export * from "./tracker/tracker.ts";
export type { Appearance, Look } from "./tracker/appearance.ts";
