// An agent's outbox and its two connections, a bad line, and the real endpoint with a real database behind it.
import { MAX_SPARE_CONNECTIONS, type StreamKey } from "@huishi/contracts";
import { startIngest, type Ingest } from "@huishi/ingest";
import { type Clock, sleep, supervise, systemClock } from "@huishi/kernel";
import { createLogger, InProcessMediaBus, type Pool } from "@huishi/platform";
import { BadNetwork, createAgent, createCamera, type LineQuality } from "@huishi/testkit";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MqttEventLink } from "../../../../../edge-agent/src/adapters/mqtt/mqtt-event-link.ts";
import { MqttMediaLink } from "../../../../../edge-agent/src/adapters/mqtt/mqtt-media-link.ts";
import { MqttSpareLink } from "../../../../../edge-agent/src/adapters/mqtt/mqtt-spare-link.ts";
import { SqliteOutbox } from "../../../../../edge-agent/src/adapters/sqlite-outbox/sqlite-outbox.ts";
import { HedgedEvents } from "../../../../../edge-agent/src/application/hedged-events.ts";
import { EventRecorder, OutboxRelay } from "../../../../../edge-agent/src/application/outbox-relay.ts";
import type { BatchLink } from "../../../../../edge-agent/src/application/relay-lane.ts";
import { LiveRelay } from "../../../../../edge-agent/src/application/live-relay.ts";
import type { CapturedUnit, EventDraft, EventLink } from "../../../../../edge-agent/src/application/ports.ts";
import { UplinkPacer } from "../../../../../edge-agent/src/application/uplink-pacer.ts";
import { LiveGaps } from "../../../../../edge-agent/src/domain/live-gaps.ts";
import { UplinkBudget } from "../../../../../edge-agent/src/domain/uplink-budget.ts";

const logger = createLogger({ name: "uplink", level: "silent" });
const FPS = 10;
/** Pictures of a group; its keyframe is as large as five others. */
const GROUP = 20;
const KEYFRAME_PICTURES = 5;

/** A camera that somebody watches. */
export interface WatchedCamera {
  /** Default 2,000,000: more than the worst line takes. */
  readonly bitsPerSecond?: number;
  /** The site's ceiling for media; default none. */
  readonly ceilingBitsPerSecond?: number;
}

const LIVE = "live-level";
const BACKLOG = "backlog-level";

function reading(sensorId: string, value: number, capturedAtMs: number): EventDraft {
  return { type: "observation", sensorId, observedProperty: "water_level", value, unit: "m", capturedAtMs };
}

const DEFAULT_SEED = 20_261_124;

/** Numbers from 0 to 1, the same every time (Park and Miller 1988): the same segments are lost in every run. */
function minimalStandard(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function picture(unitNumber: number, bytes: number, keyframe: boolean): CapturedUnit {
  const annexB = new Uint8Array(bytes).fill(0x55);
  annexB.set([0, 0, 0, 1, keyframe ? 0x65 : 0x41]);
  const times = { capturedAtMs: Date.now(), ptsMs: (unitNumber * 1_000) / FPS };
  return { codec: "h264", keyframe, disposable: false, changed: false, annexB, unitNumber, ...times };
}

/** Another bad line in front of the port; the one of this file then only counts. */
export type OtherLine = (
  quality: LineQuality,
  seed: number,
  port: number,
) => Promise<{ readonly address: string; stop(): Promise<void> }>;

export class Uplink {
  readonly line: BadNetwork;
  readonly outbox: SqliteOutbox;
  /** Recorded to acknowledged, of each live event. */
  readonly liveLagsMs: number[] = [];
  /** Numbers of the backlog's events in the order of their acknowledgement. */
  readonly backlogOrder: number[] = [];
  /** Captured to received at the centre, of each picture. */
  readonly mediaLagsMs: number[] = [];
  mediaUnits = 0;
  mediaBytes = 0;
  readonly #folder: string;
  readonly #pool: Pool;
  readonly #ingest: Ingest;
  readonly #mediaBus: InProcessMediaBus;
  readonly #events: MqttEventLink;
  readonly #media: MqttMediaLink;
  readonly #spares: readonly MqttSpareLink[];
  readonly #budget = new UplinkBudget();
  readonly #key: StreamKey;
  readonly #stopLine: () => Promise<void>;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #recordedLive = 0;
  #recordedBacklog = 0;

  private constructor(parts: {
    address: string;
    stopLine: () => Promise<void>;
    folder: string;
    pool: Pool;
    ingest: Ingest;
    mediaBus: InProcessMediaBus;
    line: BadNetwork;
    outbox: SqliteOutbox;
    agent: { id: string; secret: string };
    cameraId: string;
  }) {
    this.line = parts.line;
    this.outbox = parts.outbox;
    this.#folder = parts.folder;
    this.#pool = parts.pool;
    this.#ingest = parts.ingest;
    this.#mediaBus = parts.mediaBus;
    this.#key = { cameraId: parts.cameraId, profile: "main" };
    this.#stopLine = parts.stopLine;
    const { agent } = parts;
    const mqttUrl = `mqtt://${parts.address}`;
    const identity = { agentId: agent.id, secret: agent.secret, mqttUrl };
    this.#events = new MqttEventLink({
      identity,
      clock: systemClock,
      log: logger,
      onDemand: () => undefined,
    });
    this.#media = new MqttMediaLink(identity);
    this.#spares = Array.from(
      { length: MAX_SPARE_CONNECTIONS },
      (_, i) => new MqttSpareLink(identity, i + 1),
    );
  }

  static async start(
    { databaseUrl, pool }: { readonly databaseUrl: string; readonly pool: Pool },
    quality: LineQuality,
    seed = DEFAULT_SEED,
    other?: OtherLine,
  ): Promise<Uplink> {
    const folder = await mkdtemp(path.join(tmpdir(), "huishi-uplink-"));
    const agent = await createAgent(pool);
    const camera = await createCamera(pool, agent.id);
    const mediaBus = new InProcessMediaBus();
    const ingest = await startIngest({ databaseUrl, host: "127.0.0.1", port: 0, mediaBus, logger });
    const line = await BadNetwork.start({
      targetPort: ingest.port,
      random: minimalStandard(seed),
      ...(other ? {} : quality),
    });
    const outbox = await SqliteOutbox.open({ folder: path.join(folder, "outbox"), log: logger });
    const { address, stop } = (await other?.(quality, seed, line.port)) ?? {
      address: `127.0.0.1:${line.port}`,
      stop: async () => undefined,
    };
    return new Uplink({
      address,
      stopLine: stop,
      folder,
      pool,
      ingest,
      mediaBus,
      line,
      outbox,
      agent,
      cameraId: camera.id,
    });
  }

  get isDrained(): boolean {
    return this.outbox.depth === 0;
  }

  get recorded(): number {
    return this.#recordedLive + this.#recordedBacklog;
  }

  /** What an outage of `spanMs` that ends now leaves in the outbox; the clock is the outage's own. */
  async fillBacklog(count: number, spanMs: number): Promise<void> {
    const startMs = Date.now() - spanMs;
    const atMs = (index: number): number => startMs + Math.round((index / count) * spanMs);
    for (let index = 0; index < count; index += 100) {
      const group = Array.from({ length: Math.min(100, count - index) }, (_, i) => index + i);
      await Promise.all(
        group.map((each) => this.outbox.append(reading(BACKLOG, each, atMs(each)), atMs(each))),
      );
    }
    this.#recordedBacklog += count;
  }

  /** Connects both connections and starts the relay. */
  connect(): void {
    const { signal } = this.#stop;
    const retry = { baseDelayMs: 200, maxDelayMs: 1_000, healthyAfterMs: 10_000 };
    const pacer = new UplinkPacer(this.#media, this.#budget);
    const live = new HedgedEvents({
      link: this.#events,
      spares: this.#spares,
      stalledMs: () => this.#events.stalledMs,
      keep: (spare, until) => supervise(spare, until, retry),
    });
    const relay = new OutboxRelay(this.outbox, this.#watchedLink(), {
      live: this.#watched(live),
      onAcknowledged: (tookMs) => pacer.acknowledged(tookMs),
    });
    this.#running = Promise.allSettled([
      supervise({ name: "events", run: (s) => this.#events.run(s) }, signal, retry),
      supervise({ name: "media", run: (s) => this.#media.run(s) }, signal, retry),
      supervise({ name: "relay", run: (s) => relay.run(s) }, signal, retry),
      pacer.run(signal),
      live.run(signal),
    ]);
  }

  waitUntilConnected(): Promise<void> {
    return this.#events.waitUntilConnected(this.#stop.signal);
  }

  /** Records so many live events a second until the signal aborts. */
  async recordLive(perSecond: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
    const recorder = new EventRecorder(this.outbox, clock, logger);
    while (!signal.aborted) {
      recorder.record(reading(LIVE, this.#recordedLive, clock.nowMs()));
      this.#recordedLive += 1;
      await sleep(1_000 / perSecond, signal).catch(() => undefined);
    }
    await recorder.settle();
  }

  /** Pictures go out while somebody watches, dropped by whole groups where they do not fit. */
  async sendMedia(
    signal: AbortSignal,
    { bitsPerSecond = 2_000_000, ceilingBitsPerSecond }: WatchedCamera = {},
  ): Promise<{ readonly dropped: number }> {
    const unsubscribe = this.#mediaBus.subscribe(this.#key, ({ data, capturedAtMs }) => {
      this.mediaUnits += 1;
      this.mediaBytes += data.byteLength;
      this.mediaLagsMs.push(Date.now() - capturedAtMs);
    });
    this.#budget.bitsPerSecond = ceilingBitsPerSecond ?? null;
    const relay = new LiveRelay({
      ...this.#key,
      sampling: { kind: "all" },
      link: this.#media,
      budget: this.#budget,
      clock: systemClock,
      gaps: new LiveGaps(),
      onGap: () => undefined,
    });
    const pictureBytes = (bitsPerSecond / 8 / FPS) * (GROUP / (GROUP - 1 + KEYFRAME_PICTURES));
    for (let number = 0; !signal.aborted; number++) {
      const keyframe = number % GROUP === 0;
      const bytes = Math.round(pictureBytes * (keyframe ? KEYFRAME_PICTURES : 1));
      relay.onUnit(picture(number, bytes, keyframe));
      await sleep(1_000 / FPS, signal).catch(() => undefined);
    }
    unsubscribe();
    return { dropped: relay.dropped };
  }

  /** What the database holds: rows, and rows with different numbers. */
  async stored(): Promise<{ readonly rows: number; readonly distinct: number }> {
    const { rows } = await this.#pool.query<{ rows: number; distinct: number }>(
      "SELECT count(*)::int AS rows, count(DISTINCT (source_no, seq))::int AS distinct FROM observation",
    );
    return rows[0] ?? { rows: 0, distinct: 0 };
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    await this.line.stop();
    await this.#stopLine();
    await this.#running;
    await this.outbox.close();
    await this.#ingest.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #watchedLink(): EventLink {
    const link = this.#events;
    return {
      ...this.#watched(link),
      get isConnected() {
        return link.isConnected;
      },
      run: (signal) => link.run(signal),
      publishStatus: (status) => link.publishStatus(status),
      waitUntilConnected: (signal) => link.waitUntilConnected(signal),
    };
  }

  #watched(link: BatchLink): BatchLink {
    return {
      get isConnected() {
        return link.isConnected;
      },
      publishBatch: async (batch) => {
        await link.publishBatch(batch);
        const nowMs = Date.now();
        for (const event of batch.events) {
          if (event.type !== "observation") continue;
          if (event.sensorId === LIVE) this.liveLagsMs.push(nowMs - event.agentAtMs);
          else this.backlogOrder.push(event.value);
        }
      },
    };
  }
}
