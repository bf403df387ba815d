export * from "./mot-format.ts";
export * from "./scores.ts";
export * from "./track-sequence.ts";
