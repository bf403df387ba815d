// What every part of the agent stands on: options, clock, identity, outbox.
import { type Clock, systemClock } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SqliteOutbox } from "./adapters/sqlite-outbox/sqlite-outbox.ts";
import type { CameraTimings } from "./application/camera-keeper.ts";
import { EventRecorder } from "./application/outbox-relay.ts";
import { type ComposedCentre, composeCentre } from "./compose-centre.ts";
import type { RecordingParts } from "./compose-recording.ts";
import type { LogSource } from "./application/log-commands.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { EdgeError } from "./domain/faults.ts";

export type EdgeAgentOptions = EdgeAgentConfig & {
  readonly logger: Logger;
  /** What the logger wrote, where the centre may ask for it. */
  readonly logs?: LogSource;
  /** Ends a start that still waits for the centre. */
  readonly signal?: AbortSignal;
  readonly timings?: Partial<CameraTimings>;
  /** The agent's wall clock; default the system's. */
  readonly clock?: Clock;
  /** Told where a listener listens. */
  readonly onSensorListening?: (kind: "mqtt" | "http", port: number) => void;
  readonly onStatusPage?: (port: number) => void;
  readonly recordings?: Pick<RecordingParts, "folder" | "policy" | "ring">;
};

export interface AgentBase {
  readonly options: EdgeAgentOptions;
  readonly log: Logger;
  readonly clock: Clock;
  readonly known: ComposedCentre;
  readonly agentId: string;
  readonly outbox: SqliteOutbox;
  readonly recorder: EventRecorder;
}

/** @throws EdgeError CLAIM_MISSING, CLAIM_REFUSED, CONFIG_INVALID, STATE_DIR, STATE_IN_USE, DISK_FULL */
export async function composeBase(options: EdgeAgentOptions, stop: AbortSignal): Promise<AgentBase> {
  const { logger: log, stateDir } = options;
  const clock = options.clock ?? systemClock;
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new EdgeError("STATE_DIR", `the folder ${stateDir} cannot be made`, { cause });
  });
  const known = await composeCentre({ ...options, log, signal: options.signal ?? stop });
  const outbox = await openOutbox(options, clock);
  const recorder = new EventRecorder(outbox, clock, log);
  return { options, log, clock, known, agentId: known.identity.agentId, outbox, recorder };
}

function openOutbox(options: EdgeAgentOptions, clock: Clock): Promise<SqliteOutbox> {
  const { stateDir, logger, outboxMaxBytes, outboxMaxEvents, outboxMaxAgeMs } = options;
  return SqliteOutbox.open({
    folder: join(stateDir, "outbox"),
    log: logger,
    clock,
    ...(outboxMaxBytes === undefined ? {} : { maxBytes: outboxMaxBytes }),
    ...(outboxMaxEvents === undefined ? {} : { maxEvents: outboxMaxEvents }),
    ...(outboxMaxAgeMs === undefined ? {} : { maxAgeMs: outboxMaxAgeMs }),
  });
}
