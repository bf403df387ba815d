import type { EdgeEvent } from "@huishi/contracts";

/** A valid event on its way into the store. Its identity is agent, boot and seq. */
export interface EventRow {
  readonly agentId: string;
  readonly topic: string;
  /** Of the agent's outbox: sequence numbers rise within one. */
  readonly boot: string;
  readonly event: EdgeEvent;
}

/** What could not be stored as an event, kept for a person to look at. */
export interface DeadLetter {
  readonly agentId: string;
  readonly topic: string;
  /** Stable: MALFORMED_JSON, INVALID_BATCH, INVALID_EVENT, UNKNOWN_CAMERA ... */
  readonly code: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

/** The camera or sensor that an event is about. */
export function subjectOf(event: EdgeEvent): string {
  return event.type === "observation" ? event.sensorId : event.cameraId;
}

/** The dead letter of an event that was valid but could not be stored. */
export function deadLetterOf(row: EventRow, code: string, reason: string): DeadLetter {
  return {
    agentId: row.agentId,
    topic: row.topic,
    code,
    reason: reason.replaceAll("\0", "\uFFFD").slice(0, 500),
    payload: Buffer.from(JSON.stringify({ boot: row.boot, ...row.event })),
  };
}
