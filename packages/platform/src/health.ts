import { messageOf } from "@huishi/kernel";
import { statfs } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Metrics } from "./metrics.ts";
import type { Pool } from "./postgres/pool.ts";

/** One part of the installation and whether it works. */
export interface PartHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

const DATABASE_MS = 2_000;

/** Does the database answer within two seconds? */
export async function databaseHealth(pool: Pool): Promise<PartHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer within 2 s")), DATABASE_MS);
  });
  try {
    await Promise.race([pool.query("SELECT 1"), late]);
    return { name: "database", ok: true };
  } catch (thrown) {
    return { name: "database", ok: false, detail: (thrown as { code?: string }).code ?? messageOf(thrown) };
  } finally {
    clearTimeout(timer);
  }
}

/** Under these free bytes a disk counts as full: the database needs room to recover. */
const MIN_FREE_BYTES = 256 * 1024 * 1024;

/** Is there room on the disk that holds `path`? */
export async function diskHealth(path: string, minFreeBytes = MIN_FREE_BYTES): Promise<PartHealth> {
  try {
    const { bavail, bsize } = await statfs(path);
    const freeBytes = bavail * bsize;
    const detail = `${Math.floor(freeBytes / 2 ** 20)} MiB free`;
    return { name: "disk", ok: freeBytes >= minFreeBytes, detail };
  } catch (thrown) {
    return { name: "disk", ok: false, detail: messageOf(thrown) };
  }
}

/** A loop that stood still this long is not alive. */
const MAX_LOOP_DELAY_MS = 5_000;

/** Watches the event loop and nothing else: what `/livez` asks. */
export class LoopWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });

  constructor() {
    this.#delay.enable();
  }

  /** The longest delay since the last look, milliseconds. */
  look(): { live: boolean; maxDelayMs: number } {
    const maxDelayMs = Math.round(this.#delay.max / 1e6);
    this.#delay.reset();
    return { live: maxDelayMs < MAX_LOOP_DELAY_MS, maxDelayMs };
  }

  close(): void {
    this.#delay.disable();
  }
}

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly health: () => Promise<readonly PartHealth[]>;
  readonly metrics: Metrics;
}

/** `/livez`, `/readyz` and `/metrics` of a service that has no HTTP of its own. Bind it to loopback or a private net. */
export async function startHealthServer(
  options: HealthServerOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const watch = new LoopWatch();
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request.method === "GET" ? request.url : undefined, options, watch).then(
      ({ status, type, text }) => response.writeHead(status, { "content-type": type }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = 64;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      watch.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
}

async function answer(
  url: string | undefined,
  options: HealthServerOptions,
  watch: LoopWatch,
): Promise<{ status: number; type: string; text: string }> {
  const json = (status: number, body: object): { status: number; type: string; text: string } => ({
    status,
    type: "application/json",
    text: JSON.stringify(body),
  });
  switch (url) {
    case "/livez": {
      const seen = watch.look();
      return json(seen.live ? 200 : 503, seen);
    }
    case "/readyz": {
      const parts = await options.health();
      const ready = parts.every(({ ok }) => ok);
      return json(ready ? 200 : 503, { ready, parts });
    }
    case "/metrics":
      return { status: 200, type: options.metrics.registry.contentType, text: await options.metrics.text() };
    default:
      return json(404, { code: "NOT_FOUND", message: "there is /livez, /readyz and /metrics" });
  }
}
