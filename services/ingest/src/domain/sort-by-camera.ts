import { type DeadLetter, deadLetterOf, type EventRow } from "./records.ts";

/**
 * Holds events against who owns the cameras they speak of: nobody reports about another agent's camera, and an
 * alarm needs a camera that is known. Inventories earlier in the same batch count.
 *
 * @param owners camera id -> agent id, as the database has it; cameras new in this batch are added
 */
export function sortByCamera(
  rows: readonly EventRow[],
  owners: Map<string, string>,
): { accepted: EventRow[]; deadLetters: DeadLetter[] } {
  const accepted: EventRow[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const row of rows) {
    const { event } = row;
    if (!("cameraId" in event)) {
      accepted.push(row);
      continue;
    }
    const owner = owners.get(event.cameraId);
    if (owner !== undefined && owner !== row.agentId) {
      deadLetters.push(
        deadLetterOf(row, "FOREIGN_CAMERA", `camera ${event.cameraId} belongs to another agent`),
      );
    } else if (owner === undefined && event.type === "alarm_trigger") {
      deadLetters.push(deadLetterOf(row, "UNKNOWN_CAMERA", `there is no camera ${event.cameraId}`));
    } else {
      if (event.type === "camera_inventory") owners.set(event.cameraId, row.agentId);
      accepted.push(row);
    }
  }
  return { accepted, deadLetters };
}
