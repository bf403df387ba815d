import type { Runnable } from "@huishi/kernel";
import { Client } from "pg";

export interface AgentNews {
  configChanged(agentId: string): void;
  commandGiven(agentId: string): void;
  revoked(agentId: string): void;
}

/** Hears NOTIFY huishi_agent on a connection of its own; throws when the connection ends. */
export class PostgresAgentListener implements Runnable {
  readonly name = "listener for the agents' news";
  readonly #databaseUrl: string;
  readonly #news: AgentNews;

  constructor(databaseUrl: string, news: AgentNews) {
    this.#databaseUrl = databaseUrl;
    this.#news = news;
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const client = new Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: "huishi-ingest-listen",
    });
    const ended = new Promise<never>((_resolve, reject) => {
      client.on("error", reject);
      client.on("end", () => reject(new Error("the listening connection ended")));
    });
    ended.catch(() => undefined);
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
    client.on("notification", ({ payload }) => this.#tell(payload ?? ""));
    try {
      await client.connect();
      await client.query("LISTEN huishi_agent");
      await Promise.race([ended, stopped]);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #tell(payload: string): void {
    const [what, agentId = ""] = payload.split(" ");
    if (what === "config") this.#news.configChanged(agentId);
    else if (what === "command") this.#news.commandGiven(agentId);
    else if (what === "revoked") this.#news.revoked(agentId);
  }
}
