export * from "./copy-once.ts";
export * from "./late-marks.ts";
export * from "./series-columns.ts";
export * from "./write-tracks.ts";
export * from "./write-occupancy.ts";
export * from "./roll-up.ts";
