import { Metrics } from "@huishi/platform";
import type { MqttEntrance } from "./application/entrance.ts";
import type { MediaCounters } from "./application/media-intake.ts";

/** Every metric of ingest. */
export function createIngestMetrics(read: {
  queuedBytes: () => number;
  connections: () => number;
  entrances: () => readonly MqttEntrance[];
  media: () => Readonly<MediaCounters>;
}): {
  readonly metrics: Metrics;
  readonly events: ReturnType<Metrics["counter"]>;
  readonly deadLetters: ReturnType<Metrics["counter"]>;
  readonly refusals: ReturnType<Metrics["counter"]>;
  readonly commitSeconds: ReturnType<Metrics["histogram"]>;
  readonly retries: ReturnType<Metrics["counter"]>;
} {
  const metrics = new Metrics();
  metrics.gauge({
    name: "huishi_ingest_queue_bytes",
    help: "Memory of events that wait for their commit.",
    collect: (gauge) => gauge.set(read.queuedBytes()),
  });
  metrics.gauge({
    name: "huishi_ingest_connections_count",
    help: "Open MQTT connections, those signing in included.",
    collect: (gauge) => gauge.set(read.connections()),
  });
  metrics.gauge({
    name: "huishi_ingest_entrance_up",
    help: "1 while agents' messages can come in by this entrance: the endpoint in the process, or a broker.",
    labelNames: ["entrance"],
    collect: (gauge) => {
      for (const { description, isConnected } of read.entrances())
        gauge.set({ entrance: description }, isConnected ? 1 : 0);
    },
  });
  metrics.counter({
    name: "huishi_ingest_media_fragments_total",
    help: "Media fragments, by what became of them.",
    labelNames: ["outcome"],
    collect: (counter) => {
      const media = read.media();
      counter.inc({ outcome: "taken" }, media.fragments);
      counter.inc({ outcome: "foreign" }, media.foreignFragments);
      counter.inc({ outcome: "malformed" }, media.malformedFragments);
    },
  });
  metrics.counter({
    name: "huishi_ingest_media_bytes_total",
    help: "Media bytes taken in.",
    collect: (counter) => counter.inc(read.media().bytes),
  });
  metrics.counter({
    name: "huishi_ingest_media_incomplete_units_total",
    help: "Access units that arrived with a gap.",
    collect: (counter) => counter.inc(read.media().incompleteUnits),
  });
  return {
    metrics,
    events: metrics.counter({
      name: "huishi_ingest_events_total",
      help: "Committed events: new ones and repeated ones.",
      labelNames: ["outcome"],
    }),
    deadLetters: metrics.counter({
      name: "huishi_ingest_dead_letters_total",
      help: "Messages and events kept as dead letters.",
    }),
    refusals: metrics.counter({
      name: "huishi_ingest_refusals_total",
      help: "MQTT clients turned away, by reason.",
      labelNames: ["reason"],
    }),
    commitSeconds: metrics.histogram({
      name: "huishi_ingest_commit_seconds",
      help: "One group's transaction.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    }),
    retries: metrics.counter({
      name: "huishi_ingest_commit_retries_total",
      help: "Transactions tried again because the database was away.",
    }),
  };
}
