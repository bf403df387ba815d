import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { createAgent, testDatabase, type TestAgent, type TestDatabase, until } from "@huishi/testkit";
import type { IClientOptions } from "mqtt";
import { type Ingest, startIngest } from "../compose.ts";
import type { EntranceKind, EntranceSite } from "./entrance-kinds.ts";
import { TestEdge } from "./test-edge.ts";

/** Ingest with one entrance, on a database of its own, and agents that come in by it. */
export class EntranceRig {
  readonly kind: EntranceKind;
  readonly database: TestDatabase;
  readonly mediaBus = new InProcessMediaBus({ lingerMs: 50 });
  readonly #site: EntranceSite;
  readonly #edges: TestEdge[] = [];
  readonly #holds: (() => Promise<void>)[] = [];
  #ingest: Ingest | null = null;
  #port = 0;

  private constructor(kind: EntranceKind, database: TestDatabase, site: EntranceSite) {
    this.kind = kind;
    this.database = database;
    this.#site = site;
  }

  static async start(kind: EntranceKind): Promise<EntranceRig> {
    const rig = new EntranceRig(kind, await testDatabase(), await kind.prepare());
    await rig.startIngest();
    return rig;
  }

  get ingest(): Ingest {
    if (!this.#ingest) throw new Error("ingest is down");
    return this.#ingest;
  }

  /** On the port that it had before. */
  async startIngest(): Promise<void> {
    const ingest = await startIngest({
      databaseUrl: this.database.databaseUrl,
      host: "127.0.0.1",
      mediaBus: this.mediaBus,
      logger: createLogger({ name: "test", level: "silent" }),
      maxQueuedBytes: 1024 * 1024,
      ...this.#site.ingestOptions(this.#port),
    });
    this.#ingest = ingest;
    this.#port = ingest.port;
    await until("the entrance is open", () => ingest.entrances.every(({ isConnected }) => isConnected));
  }

  async stopIngest(): Promise<void> {
    await this.#ingest?.close();
    this.#ingest = null;
  }

  /** What stands in the middle dies and comes back. */
  async crash(): Promise<void> {
    if (this.#site.crash) await this.#site.crash();
    else {
      await this.stopIngest();
      await this.startIngest();
    }
  }

  /** An agent that may sign in. */
  async agent(): Promise<TestAgent> {
    const agent = await createAgent(this.database.pool);
    await this.#site.admit(agent);
    return agent;
  }

  /** Gives an account to an agent that the database does not know. */
  async admit(agent: TestAgent): Promise<void> {
    await this.#site.admit(agent);
  }

  edge(agent: TestAgent, options: IClientOptions = {}): TestEdge {
    const edge = new TestEdge(agent, () => this.place, { protocolVersion: this.kind.version, ...options });
    this.#edges.push(edge);
    return edge;
  }

  get place(): ReturnType<EntranceSite["place"]> {
    return this.#site.place(this.#port);
  }

  async rows<T extends object>(sql: string, ...values: unknown[]): Promise<T[]> {
    return (await this.database.pool.query<T>(sql, values)).rows;
  }

  /** Holds every commit of events until what it returns is called. */
  async holdCommits(): Promise<{ isAwaited(): Promise<boolean>; release(): Promise<void> }> {
    const blocker = await this.database.pool.connect();
    await blocker.query("BEGIN; LOCK TABLE edge_event IN ACCESS EXCLUSIVE MODE");
    let isHeld = true;
    const release = async (): Promise<void> => {
      if (!isHeld) return;
      isHeld = false;
      await blocker.query("COMMIT");
      blocker.release();
    };
    this.#holds.push(release);
    return {
      isAwaited: async () =>
        ((await blocker.query("SELECT 1 FROM pg_locks WHERE NOT granted")).rowCount ?? 0) > 0,
      release,
    };
  }

  async metric(name: string): Promise<number> {
    const text = await this.ingest.metrics.text();
    return Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${name} `))
        ?.split(" ")[1] ?? 0,
    );
  }

  async close(): Promise<void> {
    for (const release of this.#holds) await release();
    await Promise.all(this.#edges.map((edge) => edge.close()));
    await this.stopIngest();
    await this.#site.close();
    await this.database.drop();
  }
}
