import type { Runnable } from "@huishi/kernel";
import { Client } from "pg";

/**
 * Hears NOTIFY huishi_change (and huishi_reply, where somebody waits for replies) on a connection of its own; throws
 * when the connection ends.
 */
export class PostgresChangeListener implements Runnable {
  readonly name = "change listener";
  readonly #databaseUrl: string;
  readonly #onChange: () => void;
  readonly #onReply: (commandId: string | null) => void;

  /** @param onReply with null: replies may have been missed */
  constructor(
    databaseUrl: string,
    onChange: () => void,
    onReply: (commandId: string | null) => void = () => undefined,
  ) {
    this.#databaseUrl = databaseUrl;
    this.#onChange = onChange;
    this.#onReply = onReply;
  }

  async run(signal: AbortSignal): Promise<void> {
    const client = new Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: "huishi-api-listen",
    });
    const ended = new Promise<never>((_resolve, reject) => {
      client.on("error", reject);
      client.on("end", () => reject(new Error("the listening connection ended")));
    });
    // The race below hears it; without this a failure during connect would count as unhandled.
    ended.catch(() => undefined);
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    client.on("notification", ({ channel, payload }) => {
      if (channel === "huishi_reply") this.#onReply(payload ?? null);
      else this.#onChange();
    });
    try {
      await client.connect();
      await client.query("LISTEN huishi_change; LISTEN huishi_reply");
      // Whatever was committed before LISTEN took hold is found now.
      this.#onChange();
      this.#onReply(null);
      await Promise.race([ended, stopped]);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
