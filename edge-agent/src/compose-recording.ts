// Recording on the agent's own disk: ring buffer, which streams go into it, clips of it.
import type { AgentConfig, RecordingPolicy, StreamProfile } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import { keyIdOf, type SignKeyPair, signMessage } from "@huishi/platform";
import { join } from "node:path";
import { MqttUploader } from "./adapters/mqtt/mqtt-uploader.ts";
import { RingBuffer, type RingBufferOptions } from "./adapters/ring-buffer/ring-buffer.ts";
import type { CommandDesk } from "./application/command-desk.ts";
import type { Configurable } from "./application/configuration.ts";
import type { EventDraft, Log, MediaLink, Signer } from "./application/ports.ts";
import { Recording } from "./application/recording.ts";
import { RecordingCommands } from "./application/recording-commands.ts";
import type { UplinkBudget } from "./domain/uplink-budget.ts";

/** Until the centre says otherwise. */
const DEFAULT_POLICY: RecordingPolicy = { maxBytes: 64 * 1024 * 1024 * 1024 };

export interface RecordingParts {
  readonly stateDir: string;
  /** Default `recordings` in the state folder. */
  readonly folder?: string;
  readonly agentId: string;
  /** The agent's own: the centre knows its public half. */
  readonly keys: SignKeyPair;
  readonly clock: Clock;
  readonly log: Log;
  readonly link: MediaLink;
  readonly budget: UplinkBudget;
  readonly desk: Pick<CommandDesk, "register">;
  readonly policy?: RecordingPolicy;
  /** Streams of the local file's cameras; they win on equal ids. */
  readonly local?: ReadonlyMap<string, readonly StreamProfile[]>;
  record(event: EventDraft): void;
  readonly ring?: Pick<RingBufferOptions, "segmentMs" | "segmentBytes" | "reserveBytes">;
}

export interface ComposedRecording {
  /** Told of taps; `configure` says what is recorded. */
  readonly recording: Recording;
  readonly ring: RingBuffer;
  /** Records what the configuration says; nothing without one. */
  readonly configurable: Configurable;
  /** After the cameras are at rest. */
  close(): Promise<void>;
}

/** @throws EdgeError STATE_DIR */
export async function composeRecording(parts: RecordingParts): Promise<ComposedRecording> {
  const { clock, log, record } = parts;
  const ring = await RingBuffer.open({
    folder: parts.folder ?? join(parts.stateDir, "recordings"),
    agentId: parts.agentId,
    signer: signerOf(parts.keys),
    clock,
    log,
    policy: parts.policy ?? DEFAULT_POLICY,
    onGap: (cameraId, profile, gap) => recording.gap(cameraId, profile, gap),
    ...parts.ring,
  });
  const recording = new Recording({ store: ring, log, clock, record });
  const commands = new RecordingCommands({
    store: ring,
    uploader: new MqttUploader(parts.link, parts.agentId, (bytes) =>
      parts.budget.takeUpload(bytes, clock.nowMs()),
    ),
    log,
  });
  recording.configure(parts.policy ?? DEFAULT_POLICY, parts.local ?? new Map());
  parts.desk.register("recordings", commands.recordings);
  parts.desk.register("clip", commands.clip);
  return {
    recording,
    ring,
    configurable: {
      name: "recording",
      apply(config) {
        recording.configure(
          config?.recording ?? parts.policy ?? DEFAULT_POLICY,
          new Map([...recordedBy(config), ...(parts.local ?? [])]),
        );
      },
    },
    async close() {
      recording.stop();
      await commands.close();
      await ring.close();
    },
  };
}

function signerOf(keys: SignKeyPair): Signer {
  return { keyId: keyIdOf(keys.publicKey), sign: (text) => signMessage(keys, text) };
}

function recordedBy(config: AgentConfig | null): ReadonlyMap<string, readonly StreamProfile[]> {
  return new Map((config?.cameras ?? []).map(({ id, record }) => [id, record ?? []]));
}
