import { type DeadLetter, deadLetterOf, type EventRow } from "./records.ts";

/** Who owns which device: camera or sensor id -> agent id. */
export interface Owners {
  readonly cameras: Map<string, string>;
  readonly sensors: Pick<ReadonlyMap<string, string>, "get">;
}

/** What needs a camera that is known: its row hangs on the camera's number. */
const NEEDS_CAMERA: ReadonlySet<string> = new Set(["alarm_trigger", "detection_batch", "track_summary"]);

/**
 * Holds events against who owns the devices they speak of: nobody reports about another agent's device, and an alarm
 * or a detection needs a camera that is known. Inventories earlier in the same batch count.
 *
 * @param owners as the database has it; cameras new in this batch are added
 */
export function sortByOwner(
  rows: readonly EventRow[],
  owners: Owners,
): { accepted: readonly EventRow[]; deadLetters: DeadLetter[] } {
  const deadLetters: DeadLetter[] = [];
  const accepted = rows.filter((row) => {
    const refusal = refusalOf(row, owners);
    if (refusal) deadLetters.push(deadLetterOf(row, refusal.code, refusal.reason));
    return refusal === null;
  });
  return { accepted, deadLetters };
}

function refusalOf(row: EventRow, owners: Owners): { code: string; reason: string } | null {
  const { event } = row;
  if ("sensorId" in event) {
    const owner = owners.sensors.get(event.sensorId);
    if (owner === undefined || owner === row.agentId) return null;
    return { code: "FOREIGN_SENSOR", reason: `sensor ${event.sensorId} belongs to another agent` };
  }
  if (!("cameraId" in event)) return null;
  const owner = owners.cameras.get(event.cameraId);
  if (owner !== undefined && owner !== row.agentId) {
    return { code: "FOREIGN_CAMERA", reason: `camera ${event.cameraId} belongs to another agent` };
  }
  if (owner === undefined && NEEDS_CAMERA.has(event.type)) {
    return { code: "UNKNOWN_CAMERA", reason: `there is no camera ${event.cameraId}` };
  }
  if (event.type === "camera_inventory") owners.cameras.set(event.cameraId, row.agentId);
  return null;
}
