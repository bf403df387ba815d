import { Metrics } from "@huishi/platform";
import type { ChangeFeedOptions } from "./application/change-feed.ts";
import type { LiveGatewayMetrics } from "./application/live-gateway.ts";

export interface ApiMetrics extends LiveGatewayMetrics {
  readonly changesSent: NonNullable<ChangeFeedOptions["onBatch"]>;
  /** Names what the gauges read at each scrape. */
  watch(sources: { sockets: () => number; streams: () => number }): void;
  expose(): Promise<{ contentType: string; text: string }>;
}

/**
 * The api's metrics, and those of the other services in the same process behind them.
 *
 * @param others registries of the services that share this process
 */
export function createMetrics(others: readonly Metrics[]): ApiMetrics {
  const metrics = new Metrics();
  const changes = metrics.counter({
    name: "huishi_api_changes_total",
    help: "Committed changes that were read and serialised once for all sockets",
  });
  const changeBytes = metrics.counter({
    name: "huishi_api_change_bytes_total",
    help: "Bytes of changes given to sockets",
  });
  const mediaBytes = metrics.counter({
    name: "huishi_api_media_bytes_total",
    help: "Bytes of live pictures given to sockets",
  });
  const mediaDropped = metrics.counter({
    name: "huishi_api_media_dropped_units_total",
    help: "Access units that a slow socket was not given",
  });
  return {
    changesSent: ({ changes: count, bytes, subscribers }) => {
      changes.inc(count);
      changeBytes.inc(bytes * subscribers);
    },
    mediaSent: (bytes) => mediaBytes.inc(bytes),
    mediaDropped: () => mediaDropped.inc(),
    watch: ({ sockets, streams }) => {
      metrics.gauge({
        name: "huishi_api_sockets_open",
        help: "WebSockets open now",
        collect: (gauge) => gauge.set(sockets()),
      });
      metrics.gauge({
        name: "huishi_api_streams_open",
        help: "Live streams that somebody watches now",
        collect: (gauge) => gauge.set(streams()),
      });
    },
    expose: async () => ({
      contentType: metrics.registry.contentType,
      text: (await Promise.all([metrics, ...others].map((each) => each.text()))).join("\n"),
    }),
  };
}
