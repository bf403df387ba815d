// The scene of the fault tests: an embedded PostgreSQL that is kept running, ingest as a process of its own, and agents that send until
// they are acknowledged. Whatever is killed, the scene can say what is missing and what is there twice.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createLogger, createPool, KeptPostgres, migrate, type Pool } from "@huishi/platform";
import { createAgent, createCamera, until } from "@huishi/testkit";
import { FaultEdge } from "./fault-edge.ts";

const logger = createLogger({ name: "test", level: "silent" });
const INGEST = fileURLToPath(new URL("../../../../../services/ingest/src/main.ts", import.meta.url));

export interface FaultSceneOptions {
  readonly edges?: number;
  /** Where the database lies; a folder of its own in the temporary one when absent. */
  readonly databaseFolder?: string;
  /** More environment for the ingest process. */
  readonly ingestEnv?: NodeJS.ProcessEnv;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Tally {
  readonly acknowledged: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  /** Alarms that triggers made, and how many triggers there were. */
  readonly alarms: number;
  readonly triggers: number;
}

export class FaultScene {
  readonly edges: FaultEdge[] = [];
  #folder = "";
  #options: FaultSceneOptions = {};
  #database: KeptPostgres | null = null;
  #ingest: ChildProcess | null = null;
  #mqttPort = 0;
  #healthPort = 0;

  static async start(options: FaultSceneOptions = {}): Promise<FaultScene> {
    const scene = new FaultScene();
    scene.#options = options;
    scene.#folder = await mkdtemp(path.join(tmpdir(), "huishi-faults-"));
    try {
      await scene.#startDatabase();
      await migrate(scene.databaseUrl, logger);
      await scene.ask(async (pool) => {
        for (let index = 0; index < (options.edges ?? 2); index++) {
          const agent = await createAgent(pool);
          const camera = await createCamera(pool, agent.id);
          scene.edges.push(new FaultEdge({ agent, cameraId: camera.id, port: () => scene.#mqttPort }));
        }
      });
      await scene.startIngest();
      return scene;
    } catch (fault) {
      await scene.close();
      throw fault;
    }
  }

  get databaseUrl(): string {
    return this.#running.databaseUrl;
  }

  get #running(): KeptPostgres {
    if (!this.#database) throw new Error("the database was not started");
    return this.#database;
  }

  async #startDatabase(): Promise<void> {
    const { databaseFolder, settings } = this.#options;
    this.#database = await KeptPostgres.start({
      dataDir: databaseFolder ?? path.join(this.#folder, "database"),
      logger,
      ...(settings && { settings }),
    });
  }

  /** Whoever keeps the database starts it again. */
  async killDatabase(): Promise<void> {
    const { pid } = this.#running;
    process.kill(pid, "SIGKILL");
    await until("another server runs", () => this.#running.pid !== pid, 30_000);
  }

  /** Stops every process of the database for a while, as a hung disk or a frozen machine would. */
  async pauseDatabase(ms: number, meanwhile: () => void = () => {}): Promise<void> {
    const pids = await this.ask(async (pool) => {
      const { rows } = await pool.query<{ pid: number }>("SELECT pid FROM pg_stat_activity");
      return [this.#running.pid, ...rows.map(({ pid }) => pid)];
    });
    const signal = (name: NodeJS.Signals): void => {
      for (const pid of pids) {
        try {
          process.kill(pid, name);
        } catch {
          // A session that has ended meanwhile.
        }
      }
    };
    signal("SIGSTOP");
    const looks = setInterval(meanwhile, 250);
    await new Promise((resolve) => setTimeout(resolve, ms));
    clearInterval(looks);
    signal("SIGCONT");
  }

  async startIngest(): Promise<void> {
    const child = fork(INGEST, [], {
      execArgv: ["--import", "tsx", "--conditions=huishi-source"],
      env: {
        PATH: process.env["PATH"],
        HUISHI_DATABASE_URL: this.databaseUrl,
        HUISHI_MQTT_PORT: String(this.#mqttPort),
        HUISHI_HEALTH_PORT: "0",
        HUISHI_LOG_LEVEL: "fatal",
        ...this.#options.ingestEnv,
      },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`ingest ended at its start with ${String(code)}`);
    });
    const [message] = (await Promise.race([once(child, "message"), ended])) as [
      { port: number; healthPort: number },
    ];
    ended.catch(() => {});
    this.#ingest = child;
    this.#mqttPort = message.port;
    this.#healthPort = message.healthPort;
  }

  async killIngest(): Promise<void> {
    const child = this.#ingest;
    this.#ingest = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Resident memory of the ingest process, bytes. */
  get ingestPid(): number {
    return this.#ingest?.pid ?? 0;
  }

  async isLive(): Promise<boolean> {
    return (await fetch(`http://127.0.0.1:${this.#healthPort}/livez`)).ok;
  }

  async readiness(): Promise<{ ready: boolean; parts: { name: string; ok: boolean }[] }> {
    const answer = await fetch(`http://127.0.0.1:${this.#healthPort}/readyz`);
    return (await answer.json()) as { ready: boolean; parts: { name: string; ok: boolean }[] };
  }

  async ask<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = createPool(this.databaseUrl, { max: 1 });
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  }

  /** Milliseconds until every edge has one more acknowledgement. */
  async recovery(withinMs: number): Promise<number> {
    const startedMs = performance.now();
    const before = this.edges.map((edge) => edge.acknowledgedBatches);
    await until(
      "every agent is acknowledged again",
      () => this.edges.every((edge, index) => edge.isDone || edge.acknowledgedBatches > (before[index] ?? 0)),
      withinMs,
    );
    return performance.now() - startedMs;
  }

  /** What was acknowledged against what is there. */
  async tally(): Promise<Tally> {
    const stored = await this.ask(async (pool) => {
      const { rows } = await pool.query<{ agent: string; seqs: string[] }>(
        `SELECT s.agent_id AS agent, array_agg(e.seq::text) AS seqs
         FROM (SELECT source_no, seq FROM observation UNION ALL SELECT source_no, seq FROM edge_event) AS e
         JOIN event_source AS s ON s.no = e.source_no GROUP BY s.agent_id`,
      );
      const counted = await pool.query<{ alarms: number; letters: number }>(
        "SELECT (SELECT count(*)::int FROM alarm) AS alarms, (SELECT count(*)::int FROM dead_letter) AS letters",
      );
      return { seqs: new Map(rows.map(({ agent, seqs }) => [agent, seqs.map(Number)])), ...counted.rows[0] };
    });
    const sum = (of: (edge: FaultEdge) => number): number =>
      this.edges.reduce((total, edge) => total + of(edge), 0);
    const seqsOf = (edge: FaultEdge): number[] => stored.seqs.get(edge.agentId) ?? [];
    return {
      acknowledged: sum((edge) => edge.acknowledgedSeqs.size),
      missing: sum((edge) => {
        const there = new Set(seqsOf(edge));
        return [...edge.acknowledgedSeqs].filter((seq) => !there.has(seq)).length;
      }),
      duplicates: sum((edge) => seqsOf(edge).length - new Set(seqsOf(edge)).size),
      deadLetters: stored.letters ?? 0,
      alarms: stored.alarms ?? 0,
      triggers: sum((edge) => edge.triggers),
    };
  }

  async close(): Promise<void> {
    for (const edge of this.edges) edge.stop();
    await this.killIngest();
    await this.#database?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
