import { eventsTopic } from "@huishi/contracts";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { testDatabase, type TestDatabase } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { type Ingest, type IngestOptions, startIngest } from "../compose.ts";

export const BOOT = "00112233aabbccdd";

export interface RunningIngest extends TestDatabase {
  readonly ingest: Ingest;
  readonly mediaBus: InProcessMediaBus;
  close(): Promise<void>;
}

/** The real endpoint on a database of its own. */
export async function runIngest(more: Partial<IngestOptions> = {}): Promise<RunningIngest> {
  const database = await testDatabase();
  const mediaBus = new InProcessMediaBus({ lingerMs: 50 });
  const ingest = await startIngest({
    databaseUrl: database.databaseUrl,
    host: "127.0.0.1",
    port: 0,
    mediaBus,
    logger: createLogger({ name: "test", level: "silent" }),
    ...more,
  }).catch(async (thrown: unknown) => {
    await database.drop();
    throw thrown;
  });
  return {
    ...database,
    ingest,
    mediaBus,
    async close() {
      await ingest.close();
      await database.drop();
    },
  };
}

export const times = { capturedAtMs: 1_700_000_000_000, agentAtMs: 1_700_000_000_050 };

export const motion = (seq: number, cameraId = "north"): object => ({
  type: "camera_motion",
  seq,
  ...times,
  cameraId,
  active: true,
});

export const inventory = (seq: number, cameraId: string, more: object = {}): object => ({
  type: "camera_inventory",
  seq,
  ...times,
  cameraId,
  name: `Camera ${cameraId}`,
  streams: [{ profile: "main", codec: "h264", width: 1920, height: 1080 }],
  ptz: false,
  ...more,
});

export const trigger = (seq: number, cameraId: string, more: object = {}): object => ({
  type: "alarm_trigger",
  seq,
  ...times,
  cameraId,
  alarmClass: "intrusion",
  priority: "P2",
  ...more,
});

/** Publishes at QoS 1; resolves with the PUBACK. */
export async function publishEvents(
  client: MqttClient,
  agentId: string,
  events: readonly object[],
  boot = BOOT,
): Promise<void> {
  await client.publishAsync(eventsTopic(agentId), JSON.stringify({ v: 1, boot, events }), { qos: 1 });
}
