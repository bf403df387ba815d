import { Metrics } from "@huishi/platform";
import type { OutboxReport } from "./application/outbox-reports.ts";
import type { ClipRoom } from "./application/clip-room.ts";
import type { MqttEntrance } from "./application/entrance.ts";
import type { MediaCounters } from "./application/media-intake.ts";

/** Every metric of ingest. */
export function createIngestMetrics(read: {
  queuedBytes: () => number;
  queuedRows: () => number;
  connections: () => number;
  entrances: () => readonly MqttEntrance[];
  media: () => Readonly<MediaCounters>;
  reports: () => Iterable<readonly [agentId: string, report: OutboxReport]>;
  clipRoom: () => ClipRoom | null;
}): {
  readonly metrics: Metrics;
  readonly events: ReturnType<Metrics["counter"]>;
  readonly deadLetters: ReturnType<Metrics["counter"]>;
  readonly refusals: ReturnType<Metrics["counter"]>;
  readonly commitSeconds: ReturnType<Metrics["histogram"]>;
  readonly retries: ReturnType<Metrics["counter"]>;
  readonly acknowledgeSeconds: ReturnType<Metrics["histogram"]>;
  readonly lagSeconds: ReturnType<Metrics["histogram"]>;
  readonly upkeepSeconds: ReturnType<Metrics["histogram"]>;
} {
  const metrics = new Metrics();
  metrics.gauge({
    name: "huishi_ingest_queue_bytes",
    help: "Memory of events that wait for their commit.",
    collect: (gauge) => gauge.set(read.queuedBytes()),
  });
  metrics.gauge({
    name: "huishi_ingest_queue_rows",
    help: "Events that wait for their commit.",
    collect: (gauge) => gauge.set(read.queuedRows()),
  });
  addOutboxGauges(metrics, read.reports);
  addClipMetrics(metrics, read.clipRoom);
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
    acknowledgeSeconds: metrics.histogram({
      name: "huishi_ingest_acknowledge_seconds",
      help: "From a message's arrival to its commit, which is what its acknowledgement waits for.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 5, 30],
    }),
    lagSeconds: metrics.histogram({
      name: "huishi_ingest_lag_seconds",
      help: "From the agent's clock at recording to the commit, of each message's last event.",
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600, 86400],
    }),
    upkeepSeconds: metrics.histogram({
      name: "huishi_ingest_upkeep_seconds",
      help: "Upkeep of the store, by task.",
      labelNames: ["task"],
      buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120, 600],
    }),
  };
}

function addClipMetrics(metrics: Metrics, room: () => ClipRoom | null): void {
  const gauge = (name: string, help: string, value: (room: ClipRoom) => number): void =>
    void metrics.gauge({
      name,
      help,
      collect: (each) => {
        const kept = room();
        if (kept) each.set(value(kept));
      },
    });
  const counter = (name: string, help: string, value: (room: ClipRoom) => number): void =>
    void metrics.counter({
      name,
      help,
      collect: (each) => {
        const kept = room();
        each.reset();
        if (kept) each.inc(value(kept));
      },
    });
  gauge("huishi_ingest_clips_bytes", "What the folder of clips holds.", (kept) => kept.usedBytes);
  gauge("huishi_ingest_clips_limit_bytes", "What it may hold.", (kept) => kept.maxBytes);
  gauge("huishi_ingest_clips_full", "1 while nothing more is asked for.", (kept) => (kept.isFull ? 1 : 0));
  counter(
    "huishi_ingest_clips_refused_total",
    "Clips refused because nothing that lies there may go.",
    (kept) => kept.counts.refused,
  );
  counter(
    "huishi_ingest_clips_removed_total",
    "Clips removed: old, or for room.",
    (kept) => kept.counts.removed,
  );
}

/** As agents report them; an agent that is away keeps its last word, whose age tells. */
function addOutboxGauges(
  metrics: Metrics,
  reports: () => Iterable<readonly [agentId: string, report: OutboxReport]>,
): void {
  const gauge = (name: string, help: string, value: (report: OutboxReport) => number): void =>
    void metrics.gauge({
      name,
      help,
      labelNames: ["agent"],
      collect: (each) => {
        each.reset();
        for (const [agent, report] of reports()) each.set({ agent }, value(report));
      },
    });
  gauge("huishi_agent_outbox_events", "Events that wait in an agent's outbox.", (report) => report.depth);
  gauge(
    "huishi_agent_outbox_age_seconds",
    "Age of the oldest event that waits there.",
    (report) => report.ageS,
  );
  gauge("huishi_agent_outbox_bytes", "Size of an agent's outbox.", (report) => report.bytes);
  gauge(
    "huishi_agent_outbox_lost_events",
    "Events given up since the agent started.",
    (report) => report.lost,
  );
  gauge("huishi_agent_report_age_seconds", "Since the agent's last status.", (report) => report.reportAgeS);
}
