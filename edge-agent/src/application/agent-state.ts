// Everything that the agent knows of itself, in one value: the status page, the metrics and the commands read it.
import type { ConfigState, RecordingState, StreamProfile } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import { CounterRate } from "../domain/counter-rate.ts";
import { repeat } from "./camera-fleet.ts";
import type { CameraStanding } from "./camera-keeper.ts";
import type { RunningStream } from "./camera-streams.ts";
import type { Outbox, OutboxStats, StreamPurpose } from "./ports.ts";
import type { SensorTotals } from "./sensor-keeper.ts";

const SAMPLE_MS = 2_000;
/** Samples between two looks at the disk. */
const DISK_EVERY = 5;

/** Public halves and digests only: nothing here is a secret. */
export interface AgentIdentity {
  readonly agentId: string;
  /** First 16 hex digits of the SHA-256 of the public keys that sign, and that accounts are sealed to. */
  readonly signKeyId: string;
  readonly sealKeyId: string;
  /** SHA-256 of the centre's certificate authority, hexadecimal; null when the system's authorities are trusted. */
  readonly authoritySha256: string | null;
}

/** `sinceMs` (agent clock): since when it is as it is. */
export interface CentreState {
  /** Host and port. */
  readonly address: string;
  readonly isConnected: boolean;
  readonly sinceMs: number;
  readonly isMediaConnected: boolean;
  readonly mediaQueuedBytes: number;
}

export interface StreamState {
  readonly profiles: readonly StreamProfile[];
  readonly isFlowing: boolean;
  readonly lastPictureAtMs: number | null;
  /** Measured over ten seconds; null while there is too little to tell. */
  readonly fps: number | null;
  readonly bitsPerSecond: number | null;
  readonly consumers: readonly StreamPurpose[];
  readonly pictures: number;
  readonly bytes: number;
  readonly connections: number;
}

export interface CameraState extends Omit<CameraStanding, "offered" | "running"> {
  readonly offered: readonly { profile: StreamProfile; codec: string; width: number; height: number }[];
  /** Those that run. */
  readonly streams: readonly StreamState[];
}

interface SensorStanding {
  readonly id: string;
  readonly condition: string | null;
  readonly code: string | null;
}

/** A device in quarantine: seen, never signed in to. Texts are as the device gave them. */
interface FoundState {
  readonly deviceKey: string;
  readonly address: string;
  readonly name: string | null;
  readonly hardware: string | null;
  readonly lastSeenAtMs: number;
}

const MAX_FOUND = 100;

/** Bytes of a disk; `atMs`: when it was looked at. */
export interface DiskRoom {
  readonly use: "state" | "recordings";
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly atMs: number;
}

export interface AgentState {
  readonly v: 1;
  /** Agent clock. */
  readonly atMs: number;
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly version: string;
  readonly identity: AgentIdentity;
  readonly centre: CentreState;
  readonly outbox: OutboxStats;
  readonly cameras: readonly CameraState[];
  readonly mediaDropped: number;
  readonly recording: RecordingState | null;
  readonly sensors: { readonly totals: SensorTotals; readonly conditions: readonly SensorStanding[] } | null;
  /** Devices on the network that nobody has adopted, newest first; at most 100 of them. */
  readonly found: readonly FoundState[];
  readonly configuration: ConfigState | null;
  readonly disks: readonly DiskRoom[];
  /** How far the clock on the wall was set since the start, against one that never is. */
  readonly clock: { readonly steppedMs: number; readonly utcOffsetMinutes: number };
  readonly process: { readonly pid: number; readonly residentBytes: number; readonly cpuSeconds: number };
}

/** Where the parts of the state come from. What is absent is not there (yet). */
export interface StateSources {
  readonly clock: Clock;
  readonly version: string;
  readonly identity: AgentIdentity;
  readonly outbox: Pick<Outbox, "stats">;
  centre(): CentreState;
  cameras(): readonly CameraStanding[];
  recording?(): RecordingState;
  sensors?(): { totals: SensorTotals; conditions: readonly SensorStanding[] };
  found?(): readonly FoundState[];
  configuration?(): ConfigState | null;
  /** Looks at the disks. */
  disks?(): Promise<readonly DiskRoom[]>;
  /** Of this process. */
  usage(): { pid: number; residentBytes: number; cpuSeconds: number };
  /** Never steps; milliseconds from any beginning. */
  steadyMs(): number;
}

type StreamCounts = CounterRate<"pictures" | "bytes">;

/** Collects the agent's state when asked; `run` it beside, so that rates are measured and the disk is looked at. */
export class AgentStateDesk {
  readonly #sources: StateSources;
  readonly #startedAtMs: number;
  readonly #startedSteadyMs: number;
  #rates = new Map<string, StreamCounts>();
  #disks: readonly DiskRoom[] = [];
  #samples = 0;

  constructor(sources: StateSources) {
    this.#sources = sources;
    this.#startedAtMs = sources.clock.nowMs();
    this.#startedSteadyMs = sources.steadyMs();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await repeat(SAMPLE_MS, signal, () => this.sample());
  }

  /** Counts what the streams gave since the last sample; every fifth one looks at the disks as well. */
  async sample(): Promise<void> {
    const { clock, cameras, disks } = this.#sources;
    const nowMs = clock.nowMs();
    const known = this.#rates;
    this.#rates = new Map();
    for (const camera of cameras()) {
      for (const stream of camera.running) {
        const key = keyOf(camera, stream);
        const rate = known.get(key) ?? new CounterRate();
        const { pictures, bytes } = stream.statistics;
        rate.observe(nowMs, { pictures, bytes });
        this.#rates.set(key, rate);
      }
    }
    if (this.#samples++ % DISK_EVERY === 0 && disks) this.#disks = await disks().catch(() => []);
  }

  async describe(): Promise<AgentState> {
    const sources = this.#sources;
    const atMs = sources.clock.nowMs();
    const uptimeMs = Math.round(sources.steadyMs() - this.#startedSteadyMs);
    const cameras = sources.cameras().map((camera) => this.#cameraState(camera));
    return {
      v: 1,
      atMs,
      startedAtMs: this.#startedAtMs,
      uptimeMs,
      version: sources.version,
      identity: sources.identity,
      centre: sources.centre(),
      outbox: await sources.outbox.stats(),
      cameras,
      mediaDropped: cameras.reduce((sum, { dropped }) => sum + dropped, 0),
      recording: sources.recording?.() ?? null,
      sensors: sources.sensors?.() ?? null,
      found: (sources.found?.() ?? [])
        .toSorted((a, b) => b.lastSeenAtMs - a.lastSeenAtMs)
        .slice(0, MAX_FOUND),
      configuration: sources.configuration?.() ?? null,
      disks: this.#disks,
      clock: {
        steppedMs: Math.round(atMs - this.#startedAtMs - uptimeMs),
        utcOffsetMinutes: -new Date(atMs).getTimezoneOffset() || 0,
      },
      process: sources.usage(),
    };
  }

  #cameraState({ offered, running, ...camera }: CameraStanding): CameraState {
    return {
      ...camera,
      offered: offered.map(({ profile, codec, width, height }) => ({ profile, codec, width, height })),
      streams: running.map((stream) => this.#streamState(camera, stream)),
    };
  }

  #streamState(camera: Pick<CameraStanding, "id" | "address">, stream: RunningStream): StreamState {
    const { profiles, statistics } = stream;
    const rate = this.#rates.get(keyOf(camera, stream));
    const { pictures, bytes, connections, consumers, isFlowing, lastPictureAtMs } = statistics;
    const fps = rate?.perSecond("pictures") ?? null;
    const bytesPerSecond = rate?.perSecond("bytes") ?? null;
    return {
      profiles,
      isFlowing,
      lastPictureAtMs,
      fps: fps === null ? null : Math.round(fps * 10) / 10,
      bitsPerSecond: bytesPerSecond === null ? null : Math.round(bytesPerSecond * 8),
      consumers,
      pictures,
      bytes,
      connections,
    };
  }
}

const keyOf = (camera: Pick<CameraStanding, "id" | "address">, stream: RunningStream): string =>
  `${camera.id ?? camera.address} ${stream.profiles.join("+")}`;
