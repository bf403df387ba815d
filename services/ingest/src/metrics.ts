import { Metrics } from "@huishi/platform";

/** Every metric of ingest. */
export function createIngestMetrics(read: {
  queuedBytes: () => number;
  connections: () => number;
  media: () => { fragments: number; bytes: number; incompleteUnits: number; foreignFragments: number };
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
    name: "huishi_ingest_media_fragments",
    help: "Media fragments since the start, by what became of them.",
    labelNames: ["outcome"],
    collect: (gauge) => {
      const media = read.media();
      gauge.set({ outcome: "taken" }, media.fragments);
      gauge.set({ outcome: "foreign" }, media.foreignFragments);
    },
  });
  metrics.gauge({
    name: "huishi_ingest_media_bytes",
    help: "Media bytes taken in since the start.",
    collect: (gauge) => gauge.set(read.media().bytes),
  });
  metrics.gauge({
    name: "huishi_ingest_media_incomplete_units",
    help: "Access units that arrived with a gap since the start.",
    collect: (gauge) => gauge.set(read.media().incompleteUnits),
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
