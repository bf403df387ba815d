import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeTlsFiles, Mosquitto, type MqttPlace, type TestAgent } from "@huishi/testkit";
import type { IngestOptions } from "../compose.ts";

/** One way for agents to come in, as the contract suite drives it. */
export interface EntranceKind {
  readonly name: string;
  /** MQTT version that agents speak. */
  readonly version: 4 | 5;
  /** Is the PUBACK that an agent gets the commit's? A broker's own is not. */
  readonly pubackMeansCommitted: boolean;
  /** Does what an agent published wait somewhere while ingest is away? */
  readonly keepsEvents: boolean;
  prepare(): Promise<EntranceSite>;
}

export interface EntranceSite {
  /** @param port of the in-process endpoint, where there is one; 0 for any */
  ingestOptions(port: number): Pick<IngestOptions, "port" | "tls" | "broker">;
  /** Gives an agent that the database knows its account. */
  admit(agent: TestAgent): Promise<void>;
  /** Where agents sign in. */
  place(ingestPort: number): MqttPlace;
  /** Kills the broker with -9 and starts it again; null where ingest itself is the server. */
  readonly crash: (() => Promise<void>) | null;
  close(): Promise<void>;
}

/** How many messages from a broker wait for their commit: fewer than the broker would send at MQTT 3.1.1. */
export const WINDOW = 20;
const PASSWORD = "the password of ingest";

const endpoint = (withTls: boolean): EntranceKind => ({
  name: withTls ? "the in-process endpoint over TLS" : "the in-process endpoint",
  version: 4,
  pubackMeansCommitted: true,
  keepsEvents: false,
  async prepare() {
    const folder = await mkdtemp(path.join(tmpdir(), "huishi-endpoint-"));
    const files = withTls ? await makeTlsFiles(folder) : null;
    return {
      ingestOptions: (port) => ({ port, ...(files && { tls: files }) }),
      admit: () => Promise.resolve(),
      place: (port) => (files ? { port, caFile: files.caFile } : port),
      crash: null,
      close: () => rm(folder, { recursive: true, force: true }),
    };
  },
});

const broker = (version: 4 | 5, withTls: boolean): EntranceKind => ({
  name: `mosquitto, MQTT ${version === 4 ? "3.1.1" : "5"}${withTls ? " over TLS" : ""}`,
  version,
  pubackMeansCommitted: false,
  keepsEvents: true,
  async prepare() {
    const mosquitto = await Mosquitto.start({ tls: withTls });
    await mosquitto.addAccount("huishi-ingest", PASSWORD);
    const passwordFile = await mosquitto.passwordFile(PASSWORD);
    const { port, url, tls } = mosquitto;
    return {
      ingestOptions: () => ({
        port: null,
        broker: {
          url,
          version,
          passwordFile,
          user: "huishi-ingest",
          keepAliveSeconds: 2,
          window: WINDOW,
          ...(tls && { caFile: tls.caFile }),
        },
      }),
      admit: (agent) => mosquitto.addAccount(agent.id, agent.secret),
      place: () => (tls ? { port, caFile: tls.caFile } : port),
      async crash() {
        await mosquitto.stop("SIGKILL");
        await mosquitto.run();
      },
      close: () => mosquitto.remove(),
    };
  },
});

export const ENTRANCE_KINDS = [endpoint(false), endpoint(true), broker(4, false), broker(5, true)];
