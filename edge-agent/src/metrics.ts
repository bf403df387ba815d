// Every metric of the agent; docs/edge.md lists them.
import { Metrics } from "@huishi/platform";
import type { AgentState, CameraState, StreamState } from "./application/agent-state.ts";

/** Values in one answer to the centre. Overflow policy: `refuseNewest`, told as `leftOut`. */
const MAX_NUMBERS = 500;
/** A reply may have 64 KiB. */
const MAX_NUMBERS_CHARACTERS = 48 * 1024;

type Labels = Record<string, string>;
type Value = readonly [labels: Labels, value: number | null | undefined];
type Reading = (state: AgentState) => Iterable<Value> | number | null | undefined;

/** Reads the agent's state once for each text. */
export class EdgeMetrics {
  readonly #metrics = new Metrics();
  readonly #describe: () => Promise<AgentState>;
  #state: AgentState | null = null;

  constructor(describe: () => Promise<AgentState>) {
    this.#describe = describe;
    this.#addAgent();
    this.#addOutbox();
    this.#addCameras();
    this.#addStreams();
    this.#addSensors();
    this.#addDisks();
  }

  /** Prometheus text format 0.0.4. */
  async text(): Promise<string> {
    this.#state = await this.#describe();
    return this.#metrics.text();
  }

  /** As one object for the centre: `{ numbers: { 'name{label="value"}': 1 } }`, at most 500 of them. */
  async numbers(): Promise<{ atMs: number; numbers: Record<string, number>; leftOut: number }> {
    const lines = (await this.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const numbers: Record<string, number> = {};
    let taken = 0;
    let characters = 0;
    for (const line of lines) {
      characters += line.length + 8;
      if (taken >= MAX_NUMBERS || characters > MAX_NUMBERS_CHARACTERS) break;
      const at = line.lastIndexOf(" ");
      const value = Number(line.slice(at + 1));
      if (Number.isFinite(value)) numbers[line.slice(0, at)] = value;
      taken += 1;
    }
    return { atMs: this.#state?.atMs ?? 0, numbers, leftOut: lines.length - taken };
  }

  #addAgent(): void {
    this.#gauge("huishi_edge_up_seconds", "Since the agent was started.", (s) => s.uptimeMs / 1_000);
    this.#gauge("huishi_edge_centre_connected_up", "1 while the centre is connected.", (s) =>
      Number(s.centre.isConnected),
    );
    this.#gauge(
      "huishi_edge_centre_state_seconds",
      "Since when it is so.",
      (s) => (s.atMs - s.centre.sinceMs) / 1_000,
    );
    this.#gauge("huishi_edge_media_connected_up", "1 while the connection for media stands.", (s) =>
      Number(s.centre.isMediaConnected),
    );
    this.#gauge(
      "huishi_edge_media_queue_bytes",
      "Media that wait in the connection.",
      (s) => s.centre.mediaQueuedBytes,
    );
    this.#counter(
      "huishi_edge_media_dropped_total",
      "Pictures dropped on the way to the centre.",
      (s) => s.mediaDropped,
    );
    this.#gauge(
      "huishi_edge_config_revision",
      "Of the last configuration that came.",
      (s) => s.configuration?.revision,
    );
    this.#gauge(
      "huishi_edge_config_refused",
      "1 while that one is refused.",
      (s) => s.configuration && Number(s.configuration.state === "refused"),
    );
    this.#gauge(
      "huishi_edge_clock_stepped_seconds",
      "How far the clock was set since the start.",
      (s) => s.clock.steppedMs / 1_000,
    );
    this.#gauge(
      "huishi_edge_resident_bytes",
      "Memory of the agent's own process.",
      (s) => s.process.residentBytes,
    );
    this.#counter(
      "huishi_edge_cpu_seconds_total",
      "Processor time of the agent's own process.",
      (s) => s.process.cpuSeconds,
    );
  }

  #addOutbox(): void {
    this.#gauge(
      "huishi_edge_outbox_events",
      "Events that wait for the centre's word.",
      (s) => s.outbox.depth,
    );
    this.#gauge("huishi_edge_outbox_age_seconds", "Age of the oldest of them.", (s) =>
      s.outbox.oldestAtMs === null ? 0 : Math.max(0, s.atMs - s.outbox.oldestAtMs) / 1_000,
    );
    this.#gauge("huishi_edge_outbox_bytes", "Size of the outbox on the disk.", (s) => s.outbox.bytes);
    this.#counter("huishi_edge_outbox_lost_total", "Events given up since the start.", (s) => s.outbox.lost);
  }

  #addCameras(): void {
    this.#gauge(
      "huishi_edge_camera_condition",
      "1 for the condition that each camera has.",
      (s) => eachCamera(s, (camera) => [[{ condition: camera.condition ?? "unknown" }, 1]]),
      ["camera", "condition"],
    );
    this.#gauge(
      "huishi_edge_camera_fault",
      "1 for each picture fault that holds.",
      (s) => eachCamera(s, ({ faults }) => (faults ?? []).map(({ fault }) => [{ fault }, 1])),
      ["camera", "fault"],
    );
    this.#gauge(
      "huishi_edge_camera_clock_offset_seconds",
      "The camera's clock minus the agent's.",
      (s) =>
        eachCamera(s, ({ clockOffsetMs }) => [[{}, clockOffsetMs === null ? null : clockOffsetMs / 1_000]]),
      ["camera"],
    );
    this.#counter(
      "huishi_edge_camera_dropped_total",
      "Pictures of the camera dropped on the way to the centre.",
      (s) => eachCamera(s, ({ dropped }) => [[{}, dropped]]),
      ["camera"],
    );
  }

  #addStreams(): void {
    const each = (value: (stream: StreamState, state: AgentState) => number | null): Reading => {
      return (state) =>
        eachCamera(state, ({ streams }) =>
          streams.map((stream) => [{ profile: stream.profiles.join("+") }, value(stream, state)]),
        );
    };
    const labels = ["camera", "profile"];
    this.#gauge(
      "huishi_edge_stream_flowing_up",
      "1 while pictures come.",
      each(({ isFlowing }) => Number(isFlowing)),
      labels,
    );
    this.#gauge(
      "huishi_edge_stream_frames_per_second",
      "Measured over ten seconds.",
      each(({ fps }) => fps),
      labels,
    );
    this.#gauge(
      "huishi_edge_stream_bits_per_second",
      "Measured over ten seconds.",
      each(({ bitsPerSecond }) => bitsPerSecond),
      labels,
    );
    this.#gauge(
      "huishi_edge_stream_picture_age_seconds",
      "Since the last picture.",
      each(({ lastPictureAtMs }, { atMs }) =>
        lastPictureAtMs === null ? null : Math.max(0, atMs - lastPictureAtMs) / 1_000,
      ),
      labels,
    );
    this.#gauge(
      "huishi_edge_stream_consumers_count",
      "Who shares the stream.",
      each(({ consumers }) => consumers.length),
      labels,
    );
    this.#counter(
      "huishi_edge_stream_pictures_total",
      "Since the stream was opened.",
      each(({ pictures }) => pictures),
      labels,
    );
    this.#counter(
      "huishi_edge_stream_bytes_total",
      "Since the stream was opened.",
      each(({ bytes }) => bytes),
      labels,
    );
    this.#counter(
      "huishi_edge_stream_connections_total",
      "Connections to the camera since then.",
      each(({ connections }) => connections),
      labels,
    );
  }

  #addSensors(): void {
    this.#gauge("huishi_edge_sensors_count", "Sensors that are watched.", (s) => s.sensors?.totals.sensors);
    this.#counter(
      "huishi_edge_sensor_messages_total",
      "Messages and readings of sensors, by what became of them.",
      (s) => {
        if (!s.sensors) return [];
        const { messages, refused, flooded, unknown, outOfRange, duplicates } = s.sensors.totals;
        const counted = { messages, refused, flooded, unknown, out_of_range: outOfRange, duplicates };
        return Object.entries(counted).map(([outcome, value]): Value => [{ outcome }, value]);
      },
      ["outcome"],
    );
    this.#counter(
      "huishi_edge_sensor_observations_total",
      "Observations recorded.",
      (s) => s.sensors?.totals.observations,
    );
  }

  #addDisks(): void {
    const disks = (value: "freeBytes" | "totalBytes"): Reading => {
      return (s) => s.disks.map((disk): Value => [{ use: disk.use }, disk[value]]);
    };
    this.#gauge("huishi_edge_disk_free_bytes", "Room on the disk.", disks("freeBytes"), ["use"]);
    this.#gauge("huishi_edge_disk_size_bytes", "Size of the disk.", disks("totalBytes"), ["use"]);
    this.#gauge("huishi_edge_recording_bytes", "What the ring buffer holds.", (s) => s.recording?.bytes);
    this.#gauge("huishi_edge_recording_limit_bytes", "What it may hold.", (s) => s.recording?.maxBytes);
    this.#gauge("huishi_edge_recording_age_seconds", "Age of its oldest picture.", (s) =>
      s.recording?.oldestMs === undefined ? null : (s.atMs - s.recording.oldestMs) / 1_000,
    );
    this.#gauge(
      "huishi_edge_recording_shortfall_seconds",
      "By how much it misses what the policy asks.",
      (s) => (s.recording?.shortfallMs === undefined ? null : s.recording.shortfallMs / 1_000),
    );
  }

  #gauge(name: string, help: string, read: Reading, labelNames: readonly string[] = []): void {
    this.#metrics.gauge({
      name,
      help,
      labelNames,
      collect: (gauge) => {
        gauge.reset();
        // A number that is not known is not there: a gauge without labels would stand at 0.
        const values = this.#read(read);
        if (values.length === 0) gauge.remove({});
        for (const [labels, value] of values) gauge.set(labels, value);
      },
    });
  }

  #counter(name: string, help: string, read: Reading, labelNames: readonly string[] = []): void {
    this.#metrics.counter({
      name,
      help,
      labelNames,
      collect: (counter) => {
        for (const [labels, value] of this.#read(read)) counter.inc(labels, value);
      },
    });
  }

  #read(read: Reading): [Labels, number][] {
    if (this.#state === null) return [];
    const given = read(this.#state);
    const values = given === null || typeof given !== "object" ? [[{}, given] as const] : [...given];
    return values.flatMap(([labels, value]) =>
      value === null || value === undefined ? [] : [[labels, value] as [Labels, number]],
    );
  }
}

/** Cameras that have no id yet are not counted. */
function eachCamera(state: AgentState, values: (camera: CameraState) => readonly Value[]): Value[] {
  return state.cameras.flatMap((camera) => {
    const { id } = camera;
    return id === null
      ? []
      : values(camera).map(([labels, value]): Value => [{ camera: id, ...labels }, value]);
  });
}
