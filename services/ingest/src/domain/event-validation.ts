import {
  type EdgeEvent,
  EVENT_SCHEMA_OF,
  EventBatchEnvelope,
  MAX_EVENT_BATCH_BYTES,
} from "@huishi/contracts";
import { Compile } from "typebox/compile";
import type { DeadLetter, EventRow } from "./records.ts";

const envelope = Compile(EventBatchEnvelope);
/** Compiled once. */
const validators = new Map([...EVENT_SCHEMA_OF].map(([type, schema]) => [type, Compile(schema)] as const));

/** What PostgreSQL's jsonb cannot hold: NUL and halves of surrogate pairs. Both can only come in as \u escapes. */
const SUSPICIOUS = /\\u(0000|d[89a-f])/i;
/** With the u flag whole pairs are one character, so only halves match. */
const HALF_PAIR = /\p{Surrogate}/u;
const BOOT = /^[0-9a-f]{16}$/;
const HEAD = /^\{"v":\d{1,3},"boot":"([0-9a-f]{16})","batch":(\d{1,16}),/;
const MAX_REASON_CHARACTERS = 500;
/** No message of the events topic is larger: a dead letter holds all of it, to be given again. */
const MAX_DEAD_LETTER_BYTES = MAX_EVENT_BATCH_BYTES;
/** Before this nobody had a camera on a network: a clock that was never set. */
const EARLIEST_CAPTURE_MS = Date.UTC(2000, 0, 1);
/** A clock may be days ahead, and its events still are events; further on it is no clock. */
const MAX_AHEAD_MS = 31 * 86_400_000;

/** One message of the events topic. */
export interface ArrivedMessage {
  readonly agentId: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The centre's clock. */
  readonly ingestedAtMs: number;
}

/** Names the batch that an `EventAck` acknowledges. */
export interface BatchReceipt {
  readonly boot: string;
  readonly batch: number;
}

export interface ValidatedBatch {
  readonly events: readonly EventRow[];
  readonly deadLetters: readonly DeadLetter[];
  /** Set when the message asks for an acknowledgement, be it malformed otherwise: else it would come for ever. */
  readonly receipt: BatchReceipt | null;
}

/**
 * Reads one message of the events topic. Every event is judged by itself: a bad one becomes a dead letter with a
 * code and a reason, its neighbours go on. Never throws.
 *
 * Codes: MALFORMED_JSON, INVALID_BATCH (the whole message), UNKNOWN_EVENT_TYPE, INVALID_EVENT, UNSTORABLE_TEXT,
 * CAPTURE_TIME_IMPLAUSIBLE.
 */
export function validateBatch(message: ArrivedMessage): ValidatedBatch {
  const { agentId, topic, payload, ingestedAtMs } = message;
  const letter = (
    code: string,
    reason: string,
    what: Uint8Array,
    boot: string | null = null,
  ): DeadLetter => ({
    agentId,
    topic,
    code,
    reason: reason.slice(0, MAX_REASON_CHARACTERS),
    boot,
    payload: what.subarray(0, MAX_DEAD_LETTER_BYTES),
    truncated: what.byteLength > MAX_DEAD_LETTER_BYTES,
  });
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
  let batch: unknown;
  try {
    batch = JSON.parse(text);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : "not JSON";
    return {
      events: [],
      deadLetters: [letter("MALFORMED_JSON", toStorable(reason), payload)],
      receipt: receiptAtHead(text),
    };
  }
  if (!envelope.Check(batch)) {
    return {
      events: [],
      deadLetters: [letter("INVALID_BATCH", firstFault(envelope.Errors(batch)), payload)],
      receipt: receiptOf(batch),
    };
  }
  const mayBeUnstorable = text.includes("\\") && SUSPICIOUS.test(text);
  const events: EventRow[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const candidate of batch.events) {
    const fault = judge(candidate, mayBeUnstorable, ingestedAtMs);
    if (fault) {
      deadLetters.push(
        letter(fault.code, fault.reason, Buffer.from(JSON.stringify(candidate) ?? ""), batch.boot),
      );
    } else events.push({ agentId, topic, boot: batch.boot, event: candidate as EdgeEvent, ingestedAtMs });
  }
  return { events, deadLetters, receipt: receiptOf(batch) };
}

function receiptOf(message: unknown): BatchReceipt | null {
  const { boot, batch } = (message ?? {}) as { boot?: unknown; batch?: unknown };
  if (typeof boot !== "string" || !BOOT.test(boot)) return null;
  return Number.isSafeInteger(batch) && (batch as number) >= 0 ? { boot, batch: batch as number } : null;
}

/** Reads boot and batch where the JSON breaks off only later, in the order in which agents write them. */
function receiptAtHead(text: string): BatchReceipt | null {
  const head = HEAD.exec(text);
  return head ? receiptOf({ boot: head[1], batch: Number(head[2]) }) : null;
}

function judge(
  candidate: unknown,
  mayBeUnstorable: boolean,
  nowMs: number,
): { code: string; reason: string } | null {
  const type = (candidate as { type?: unknown } | null)?.type;
  const validator = typeof type === "string" ? validators.get(type) : undefined;
  if (!validator) {
    const known = [...validators.keys()].join(", ");
    return { code: "UNKNOWN_EVENT_TYPE", reason: `the type is none of ${known}` };
  }
  if (!validator.Check(candidate)) {
    return { code: "INVALID_EVENT", reason: firstFault(validator.Errors(candidate)) };
  }
  if (mayBeUnstorable && !isStorable(candidate)) {
    return { code: "UNSTORABLE_TEXT", reason: "a text holds NUL or half a surrogate pair" };
  }
  const { capturedAtMs } = candidate as EdgeEvent;
  if (capturedAtMs < EARLIEST_CAPTURE_MS || capturedAtMs > nowMs + MAX_AHEAD_MS) {
    return {
      code: "CAPTURE_TIME_IMPLAUSIBLE",
      reason: "captured before 2000 or a month ahead: set the device's clock",
    };
  }
  return null;
}

function firstFault(errors: readonly { instancePath?: string; message?: string }[]): string {
  const [first] = errors;
  return toStorable(
    `${first?.instancePath || "the message"}: ${first?.message ?? "is not what the contract says"}`,
  );
}

function toStorable(text: string): string {
  return text.replaceAll(new RegExp(HALF_PAIR, "gu"), "\uFFFD").replaceAll("\0", "\uFFFD");
}

/** Depth is bounded by the schemas that the value has passed. */
function isStorable(value: unknown): boolean {
  if (typeof value === "string") return !HALF_PAIR.test(value) && !value.includes("\0");
  if (value === null || typeof value !== "object") return true;
  return Object.values(value).every(isStorable);
}
