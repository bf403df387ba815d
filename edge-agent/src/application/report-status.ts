import type { ConfigState, RecordingState } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import { repeat } from "./camera-fleet.ts";
import type { EventLink, Log, Outbox } from "./ports.ts";

const STATUS_INTERVAL_MS = 10_000;

export interface StatusSources {
  readonly link: EventLink;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly version: string;
  readonly log: Log;
  mediaDropped(): number;
  recording?(): RecordingState;
  /** The last configuration that came. */
  config?(): ConfigState | null;
}

/** Publishes the agent's retained status once. */
export async function reportStatus(sources: StatusSources, online: boolean): Promise<void> {
  const config = sources.config?.();
  const { depth, oldestAtMs, bytes, lost } = await sources.outbox.stats();
  await sources.link.publishStatus({
    online,
    atMs: sources.clock.nowMs(),
    version: sources.version,
    outboxDepth: depth,
    outboxBytes: bytes,
    outboxLost: lost,
    ...(oldestAtMs === null ? {} : { outboxOldestMs: oldestAtMs }),
    mediaDropped: sources.mediaDropped(),
    ...(sources.recording ? { recording: sources.recording() } : {}),
    ...(config && { config }),
  });
}

/** Publishes the status on connection and every ten seconds; a dead connection costs that one report. */
export async function reportStatusRegularly(sources: StatusSources, signal: AbortSignal): Promise<void> {
  await repeat(STATUS_INTERVAL_MS, signal, async () => {
    try {
      await sources.link.waitUntilConnected(signal);
      await reportStatus(sources, true);
    } catch (err) {
      if (!signal.aborted) sources.log.info({ err }, "status was not delivered");
    }
  });
}
