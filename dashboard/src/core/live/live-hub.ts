/** The page's end of the worker: who watches which stream, and where messages go. */
import type { Change, SceneFrame, StreamProfile, Watch } from "@huishi/contracts";
import { monotonicEpochMs } from "../clock/server-clock.ts";
import { createStore, type ReadableStore, type Store } from "../store.ts";
import { type ConnectionState, type FromWorker, streamKey, type ToWorker } from "./protocol.ts";
import type { MediaSegment, RemuxDrop } from "./remuxer.ts";

/** Who shows a stream. */
export interface StreamSink {
  segment(segment: MediaSegment): void;
  dropped(reason: RemuxDrop): void;
  refused(code: string): void;
}

export interface LiveHubListener {
  /** The socket is up; `resumed: false` means that the lists must be read again. */
  welcome(resumed: boolean): void;
  changes(changes: readonly Change[]): void;
  scene(scene: SceneFrame): void;
}

/** The part of a Worker that is used. */
export interface WorkerLike {
  postMessage(message: ToWorker): void;
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null;
  terminate(): void;
}

/** A group of pictures kept for the next viewer of the same stream; longer ones are not kept whole. */
const MAX_KEPT_SEGMENTS = 300;

interface Stream {
  readonly watch: Watch;
  readonly sinks: Set<StreamSink>;
  init: MediaSegment["init"];
  group: MediaSegment[];
}

export class LiveHub {
  readonly #worker: WorkerLike;
  readonly #streams = new Map<string, Stream>();
  readonly #connection: Store<ConnectionState> = createStore<ConnectionState>({
    phase: "connecting",
    attempt: 0,
    retryInMs: null,
  });
  #listener: LiveHubListener | null = null;
  #offsetMs = 0;
  #isWatchPlanned = false;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
  }

  get connection(): ReadableStore<ConnectionState> {
    return this.#connection;
  }

  /** Server time minus this browser's time, milliseconds. */
  get clockOffsetMs(): number {
    return this.#offsetMs;
  }

  /** The server's time now, milliseconds since the Unix epoch. */
  readonly serverNowMs = (): number => monotonicEpochMs() + this.#offsetMs;

  /** Sets the offset from a first HTTP answer, until the socket measures it better. */
  seedClock(serverTimeMs: number): void {
    if (this.#offsetMs === 0) this.#offsetMs = serverTimeMs - monotonicEpochMs();
  }

  start(url: string, listener: LiveHubListener): void {
    this.#listener = listener;
    this.#worker.postMessage({ t: "start", url });
  }

  stop(): void {
    this.#listener = null;
    this.#worker.postMessage({ t: "stop" });
  }

  retryNow(): void {
    this.#worker.postMessage({ t: "retryNow" });
  }

  /** Shows a stream in the sink until the returned function is called. The first viewer starts it. */
  watch(cameraId: string, profile: StreamProfile, sink: StreamSink): () => void {
    const key = streamKey(cameraId, profile);
    const known = this.#streams.get(key);
    const stream = known ?? { watch: { cameraId, profile }, sinks: new Set(), init: null, group: [] };
    this.#streams.set(key, stream);
    stream.sinks.add(sink);
    stream.group.forEach((segment, index) =>
      sink.segment(index === 0 ? { ...segment, init: stream.init } : segment),
    );
    this.#planWatch();
    return () => {
      stream.sinks.delete(sink);
      this.#planWatch();
    };
  }

  /** One message for all tiles that come and go in the same moment. */
  #planWatch(): void {
    if (this.#isWatchPlanned) return;
    this.#isWatchPlanned = true;
    setTimeout(() => {
      this.#isWatchPlanned = false;
      const shown = [...this.#streams.values()].filter((stream) => stream.sinks.size > 0);
      for (const stream of this.#streams.values()) if (stream.sinks.size === 0) stream.group = [];
      this.#worker.postMessage({ t: "watch", watches: shown.map((stream) => stream.watch) });
    }, 0);
  }

  #receive(message: FromWorker): void {
    if (message.t === "segment") this.#segment(streamKey(message.cameraId, message.profile), message.segment);
    else if (message.t === "scene") this.#listener?.scene(message.scene);
    else if (message.t === "changes") this.#listener?.changes(message.changes);
    else if (message.t === "connection") this.#connection.set(message.state);
    else if (message.t === "clock") this.#offsetMs = message.offsetMs;
    else if (message.t === "welcome") this.#listener?.welcome(message.resumed);
    else if (message.t === "watching") this.#refused(message.refused);
    else this.#dropped(streamKey(message.cameraId, message.profile), message.reason);
  }

  #segment(key: string, segment: MediaSegment): void {
    const stream = this.#streams.get(key);
    if (!stream) return;
    if (segment.init) stream.init = segment.init;
    if (segment.keyframe) stream.group = [];
    if (segment.keyframe || (stream.group.length > 0 && stream.group.length < MAX_KEPT_SEGMENTS)) {
      stream.group.push(segment);
    } else stream.group = [];
    // A player that begins at this keyframe needs the configuration though it is not new to the stream.
    const joining = segment.keyframe && !segment.init ? { ...segment, init: stream.init } : segment;
    for (const sink of stream.sinks) sink.segment(joining);
  }

  #dropped(key: string, reason: RemuxDrop): void {
    for (const sink of this.#streams.get(key)?.sinks ?? []) sink.dropped(reason);
  }

  #refused(refused: readonly { readonly cameraId: string; readonly code: string }[]): void {
    for (const { cameraId, code } of refused) {
      for (const stream of this.#streams.values()) {
        if (stream.watch.cameraId === cameraId) for (const sink of stream.sinks) sink.refused(code);
      }
    }
  }
}
