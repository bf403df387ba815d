import type { Alarm, AlarmMove, AlarmMoveRecord, AlarmState, Priority } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { decideMove, type MoveDecision } from "../domain/alarm-moves.ts";

export interface AlarmFilter {
  readonly state: AlarmState | null;
  readonly cameraId: string | null;
  readonly sensorId: string | null;
  readonly priority: Priority | null;
  /** Keyset: alarms with a smaller id. */
  readonly before: string | null;
  readonly limit: number;
}

export interface MoveRequest {
  readonly id: string;
  readonly actor: string;
  readonly opinion: string | null;
}

export interface AlarmStore {
  /** Newest first. */
  listAlarms(filter: AlarmFilter): Promise<Alarm[]>;
  findAlarms(ids: readonly string[]): Promise<Alarm[]>;
  /** Locks the alarm, lets `decide` judge its state, writes the move's row and the new state: one transaction. */
  moveAlarm(
    request: MoveRequest,
    decide: (state: AlarmState) => MoveDecision,
  ): Promise<{ decision: MoveDecision; alarm: Alarm } | null>;
  listMoves(alarmId: string): Promise<AlarmMoveRecord[]>;
  readSnapshot(alarmId: string): Promise<Buffer | null>;
}

const DEFAULT_PAGE = 100;

/** @throws HuishiError ALARM_NOT_FOUND */
export async function getAlarm(store: AlarmStore, id: string): Promise<Alarm> {
  const [alarm] = await store.findAlarms([id]);
  if (alarm === undefined) throw alarmNotFound(id);
  return alarm;
}

/** One page of alarms, newest first, and the id that the next page goes on from (null at the end). */
export async function pageAlarms(
  store: AlarmStore,
  query: Partial<Omit<AlarmFilter, "limit">> & { limit?: number },
): Promise<{ alarms: Alarm[]; next: string | null }> {
  const limit = query.limit ?? DEFAULT_PAGE;
  const { state = null, cameraId = null, sensorId = null, priority = null, before = null } = query;
  const rows = await store.listAlarms({ state, cameraId, sensorId, priority, before, limit: limit + 1 });
  const alarms = rows.slice(0, limit);
  return { alarms, next: rows.length > limit ? (alarms.at(-1)?.id ?? null) : null };
}

/** @throws HuishiError ALARM_NOT_FOUND, or ALARM_MOVE_ILLEGAL with the state and the legal moves. */
export async function moveAlarm(store: AlarmStore, move: AlarmMove, request: MoveRequest): Promise<Alarm> {
  const moved = await store.moveAlarm(request, (state) => decideMove(state, move));
  if (moved === null) throw alarmNotFound(request.id);
  if (moved.decision.legal) return moved.alarm;
  const { state, legalMoves } = moved.decision;
  throw new HuishiError(
    "ALARM_MOVE_ILLEGAL",
    `The alarm is ${state} already; ${legalMoves.length === 0 ? "no further move is possible" : `possible now: ${legalMoves.join(", ")}`}.`,
    { details: { state, legalMoves, alarm: moved.alarm } },
  );
}

/** The deciding frame as JPEG. @throws HuishiError ALARM_NOT_FOUND, SNAPSHOT_NOT_FOUND */
export async function getSnapshot(store: AlarmStore, alarmId: string): Promise<Buffer> {
  const jpeg = await store.readSnapshot(alarmId);
  if (jpeg !== null) return jpeg;
  await getAlarm(store, alarmId);
  throw new HuishiError(
    "SNAPSHOT_NOT_FOUND",
    "This alarm has no picture (yet); alarms from the field may have none.",
    {
      details: { alarmId },
    },
  );
}

function alarmNotFound(id: string): HuishiError {
  return new HuishiError("ALARM_NOT_FOUND", "There is no such alarm; its camera may have been deleted.", {
    details: { alarmId: id },
  });
}
