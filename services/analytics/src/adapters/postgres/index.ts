export { PostgresStatusStore } from "./status-store.ts";
export { PostgresAlarmStore } from "./alarm-store.ts";
export { PostgresChangeFeed } from "./change-feed.ts";
export { PostgresPictureStore } from "./picture-store.ts";
export { PostgresPlanStore } from "./plan-store.ts";
export { PostgresRecordStore } from "./record-store.ts";
export { PostgresSensorReadings } from "./sensor-readings.ts";
export { PostgresTrackIdSource } from "./track-id-source.ts";
