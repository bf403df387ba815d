/** Several analytics processes on one PostgreSQL that is kept running, and a log, written by triggers, of who held what. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createLogger, createPool, KeptPostgres, migrate, type Pool } from "@huishi/platform";
import { createAgent, until } from "@huishi/testkit";

const WORKER = fileURLToPath(new URL("./lease-worker.ts", import.meta.url));
const logger = createLogger({ name: "test", level: "silent" });

/** Times are the database's clock throughout. */
const LOG = `
  CREATE TABLE lease_log (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    what text NOT NULL,
    worker text NOT NULL,
    name text,
    camera_id text,
    expires_at timestamptz
  );
  CREATE FUNCTION log_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.worker IS NOT NULL AND NEW.worker IS DISTINCT FROM OLD.worker THEN
      INSERT INTO lease_log (what, worker, camera_id) VALUES ('freed', OLD.worker, NEW.camera_id);
    END IF;
    IF NEW.worker IS NOT NULL AND NEW.worker IS DISTINCT FROM OLD.worker THEN
      INSERT INTO lease_log (what, worker, camera_id) VALUES ('took', NEW.worker, NEW.camera_id);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER log_lease AFTER UPDATE ON camera_lease FOR EACH ROW EXECUTE FUNCTION log_lease();
  CREATE FUNCTION log_worker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN
      INSERT INTO lease_log (what, worker, name, expires_at) VALUES ('ended', OLD.id, OLD.name, OLD.expires_at);
    ELSE
      INSERT INTO lease_log (what, worker, name, expires_at) VALUES ('beat', NEW.id, NEW.name, NEW.expires_at);
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER log_worker AFTER INSERT OR UPDATE OR DELETE ON analytics_worker
    FOR EACH ROW EXECUTE FUNCTION log_worker();`;

/** A camera with one zone and one rule that says nothing. */
const CAMERAS = `
  INSERT INTO camera (id, agent_id, name, condition, streams)
    SELECT 'cam-' || i, $1, 'cam-' || i, 'online', '[{"profile":"sub"}]' FROM generate_series(1, $2::int) AS i;`;
const ZONES = `
  INSERT INTO zone (id, camera_id, name, kind, points)
    SELECT 'zone-' || id, id, id, 'polygon', '[{"x":0.8,"y":0.8},{"x":0.9,"y":0.8},{"x":0.9,"y":0.9}]' FROM camera`;
const RULES = `
  INSERT INTO rule (id, camera_id, zone_id, settings)
    SELECT 'rule-' || id, id, 'zone-' || id, $1::jsonb FROM camera`;

export interface Lease {
  readonly cameraId: string;
  /** The process's number. */
  readonly number: number;
  readonly worker: string;
  readonly fromMs: number;
  /** When it was freed, or its worker's lease ran out if that was earlier; Infinity while it is held. */
  readonly toMs: number;
}

export interface LeaseWorker {
  readonly number: number;
  readonly child: ChildProcess;
}

export class LeaseScene {
  readonly workers: LeaseWorker[] = [];
  #folder = "";
  #database: KeptPostgres | null = null;
  #lastNumber = 0;

  static async start(cameras: number): Promise<LeaseScene> {
    const scene = new LeaseScene();
    scene.#folder = await mkdtemp(path.join(tmpdir(), "huishi-leases-"));
    scene.#database = await KeptPostgres.start({ dataDir: path.join(scene.#folder, "database"), logger });
    await migrate(scene.#running.databaseUrl, logger);
    await scene.ask(async (pool) => {
      await pool.query(LOG);
      const agent = await createAgent(pool);
      await pool.query(CAMERAS, [agent.id, cameras]);
      await pool.query(ZONES);
    });
    return scene;
  }

  /** From now on there is something to analyse. */
  async giveRules(): Promise<void> {
    await this.ask((pool) => pool.query(RULES, [JSON.stringify(QUIET_RULE)]));
  }

  get #running(): KeptPostgres {
    if (!this.#database) throw new Error("the database was not started");
    return this.#database;
  }

  async startWorker(): Promise<LeaseWorker> {
    const number = (this.#lastNumber += 1);
    const child = fork(WORKER, [], {
      execArgv: ["--import", "tsx", "--conditions=huishi-source"],
      env: {
        PATH: process.env["PATH"],
        HUISHI_DATABASE_URL: this.#running.databaseUrl,
        HUISHI_TEST_NUMBER: String(number),
      },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`a worker ended at its start with ${String(code)}`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    const worker = { number, child };
    this.workers.push(worker);
    return worker;
  }

  /** Sends a signal; says when, by the database's clock (read just before). */
  async signal(worker: LeaseWorker, signal: NodeJS.Signals): Promise<number> {
    const nowMs = await this.nowMs();
    const gone = signal === "SIGKILL" || signal === "SIGTERM" ? once(worker.child, "exit") : null;
    worker.child.kill(signal);
    if (gone) {
      this.workers.splice(this.workers.indexOf(worker), 1);
      await gone;
    }
    return nowMs;
  }

  async killDatabase(): Promise<void> {
    const { pid } = this.#running;
    process.kill(pid, "SIGKILL");
    await until("another server runs", () => this.#running.pid !== pid, 30_000);
    await until("it answers", () => this.nowMs().catch(() => false), 30_000);
  }

  async nowMs(): Promise<number> {
    return this.ask(async (pool) => {
      const { rows } = await pool.query<{ ms: number }>(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms",
      );
      return rows[0]?.ms ?? 0;
    });
  }

  /** Cameras by the number of the process that holds them; 0: nobody. */
  async holders(): Promise<Map<number, number>> {
    return this.ask(async (pool) => {
      const { rows } = await pool.query<{ name: string | null; cameras: number }>(
        `SELECT worker.name, count(*)::int AS cameras FROM camera_lease AS lease
         LEFT JOIN analytics_worker AS worker ON worker.id = lease.worker GROUP BY worker.name`,
      );
      return new Map(rows.map(({ name, cameras }) => [numberOf(name), cameras]));
    });
  }

  /** Every camera was ever held by, in the order of its beginning. */
  async leases(): Promise<Lease[]> {
    const rows = await this.ask(async (pool) => {
      const found = await pool.query<LogRow>(
        `SELECT what, worker, name, camera_id, (extract(epoch FROM at) * 1000)::float8 AS at_ms,
           (extract(epoch FROM expires_at) * 1000)::float8 AS expires_ms FROM lease_log ORDER BY n`,
      );
      return found.rows;
    });
    return leasesOf(rows);
  }

  /** What was concluded: camera, process, and when it was captured, in that order. */
  async conclusions(): Promise<{ cameraId: string; number: number; capturedAtMs: number }[]> {
    return this.ask(async (pool) => {
      const { rows } = await pool.query<{ id: string; x: number; ms: number }>(
        `SELECT camera.id, d.x, (extract(epoch FROM d.captured_at) * 1000)::float8 AS ms
         FROM detection AS d JOIN camera ON camera.no = d.camera_no ORDER BY camera.id, d.captured_at`,
      );
      return rows.map(({ id, x, ms }) => ({ cameraId: id, number: x, capturedAtMs: ms }));
    });
  }

  async ask<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = createPool(this.#running.databaseUrl, { max: 1 });
    try {
      return await work(pool);
    } finally {
      await pool.end();
    }
  }

  async close(): Promise<void> {
    for (const { child } of this.workers) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await this.#database?.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface LogRow {
  readonly what: "took" | "freed" | "beat" | "ended";
  readonly worker: string;
  readonly name: string | null;
  readonly camera_id: string | null;
  readonly at_ms: number;
  readonly expires_ms: number | null;
}

/** Replays the log. Throws where a camera is taken that somebody holds. */
function leasesOf(rows: readonly LogRow[]): Lease[] {
  const expiries = new Map<string, number>();
  const names = new Map<string, string | null>();
  const open = new Map<string, Lease>();
  const leases: Lease[] = [];
  for (const row of rows) {
    if (row.what === "beat" || row.what === "ended") {
      expiries.set(row.worker, row.expires_ms ?? 0);
      names.set(row.worker, row.name);
      continue;
    }
    const cameraId = row.camera_id ?? "";
    const held = open.get(cameraId);
    if (row.what === "took") {
      if (held) throw new Error(`${cameraId} was taken by ${row.worker} while ${held.worker} held it`);
      const number = numberOf(names.get(row.worker) ?? null);
      open.set(cameraId, { cameraId, number, worker: row.worker, fromMs: row.at_ms, toMs: Infinity });
      continue;
    }
    if (held?.worker !== row.worker) throw new Error(`${cameraId} was freed of one who did not hold it`);
    open.delete(cameraId);
    leases.push({ ...held, toMs: Math.min(row.at_ms, expiries.get(row.worker) ?? Infinity) });
  }
  return [...leases, ...open.values()].toSorted((a, b) => a.fromMs - b.fromMs);
}

const numberOf = (name: string | null): number => Number(name?.split("-")[1] ?? 0);

const QUIET_RULE = {
  name: "quiet",
  kind: "intrusion",
  alarmClass: "intrusion",
  classes: ["car"],
  minScore: 0.9,
  persistenceMs: 1_000,
  exitMs: 1_000,
  dedupeMs: 60_000,
  threshold: 0,
  direction: "both",
  priority: "P4",
  enabled: true,
  schedule: null,
};
