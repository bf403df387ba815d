export { PostgresAlarmStore } from "./alarm-store.ts";
export { PostgresChangeFeed } from "./change-feed.ts";
export { PostgresPlanStore } from "./plan-store.ts";
export { PostgresRecordStore } from "./record-store.ts";
export { PostgresTrackIdSource } from "./track-id-source.ts";
export { PostgresRehearsalPerception } from "./rehearsal-perception.ts";
export { PostgresRehearsalStore } from "./rehearsal-store.ts";
export { PostgresSpanStore } from "./span-store.ts";
