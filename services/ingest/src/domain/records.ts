import type { EdgeEvent } from "@huishi/contracts";

/** A valid event on its way into the store. Its identity is agent, boot and seq. */
export interface EventRow {
  readonly agentId: string;
  readonly topic: string;
  /** Of the agent's outbox: sequence numbers rise within one. */
  readonly boot: string;
  readonly event: EdgeEvent;
  /** The centre's clock when it arrived. */
  readonly ingestedAtMs: number;
}

/** What could not be stored as an event, kept for a person to look at. */
export interface DeadLetter {
  readonly agentId: string;
  readonly topic: string;
  /** Stable: MALFORMED_JSON, INVALID_BATCH, INVALID_EVENT, UNKNOWN_CAMERA ... */
  readonly code: string;
  readonly reason: string;
  /** Of the one event that it holds; null when it holds a whole message. */
  readonly boot: string | null;
  readonly payload: Uint8Array;
  /** The payload was too long to be kept whole. */
  readonly truncated: boolean;
}

/** What an event is about. `outbox_gap` is about the agent itself. */
export type Subject =
  | { readonly kind: "camera"; readonly id: string }
  | { readonly kind: "sensor"; readonly id: string }
  | { readonly kind: "agent"; readonly id: null };

export function subjectOf(event: EdgeEvent): Subject {
  if ("cameraId" in event) return { kind: "camera", id: event.cameraId };
  if ("sensorId" in event) return { kind: "sensor", id: event.sensorId };
  return { kind: "agent", id: null };
}

/** The dead letter of an event that was valid but could not be stored. */
export function deadLetterOf(row: EventRow, code: string, reason: string): DeadLetter {
  return {
    agentId: row.agentId,
    topic: row.topic,
    code,
    reason: reason.replaceAll("\0", "\uFFFD").slice(0, 500),
    boot: row.boot,
    payload: Buffer.from(JSON.stringify(row.event)),
    truncated: false,
  };
}
