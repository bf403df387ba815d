export { PostgresStatusStore } from "./status-store.ts";
export { PostgresAlarmStore } from "./alarm-store.ts";
export { PostgresCameraLeaseStore } from "./camera-lease-store.ts";
export { PostgresChangeFeed } from "./change-feed.ts";
export { PostgresLeaseFence } from "./lease-fence.ts";
export { PostgresPlanStore } from "./plan-store.ts";
export { PostgresRecordStore } from "./record-store.ts";
export { PostgresTrackIdSource } from "./track-id-source.ts";
