import { Client } from "pg";
import type {
  LeaseStore,
  LeaseSurvey,
  SurveyedWorker,
  SurveyTimes,
  Worker,
} from "../../application/camera-leases.ts";
import type { LeasableCamera } from "../../domain/index.ts";

/** Well within a lease: a database that hangs is asked again in time. */
const ANSWER_MS = 1_500;
const CHANNEL = "huishi_lease";

interface WorkerRow {
  readonly id: string;
  readonly capacity: number;
  readonly load: number;
  readonly fresh: boolean;
  readonly expires_in_ms: number;
}

interface LeaseRow {
  readonly camera_id: string;
  readonly is_mine: boolean;
  readonly weight: number;
}

/**
 * Leases in PostgreSQL (0013_camera_lease.sql), over one connection of its own that also hears when others stir. Each
 * statement commits by itself: a process that is stopped in the middle holds no lock that could keep others from taking
 * over. After any fault the connection is thrown away; the next call connects anew.
 */
export class PostgresCameraLeaseStore implements LeaseStore {
  readonly #databaseUrl: string;
  #client: Promise<Client> | null = null;
  #onStir: () => void = () => undefined;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  async register(worker: Worker, leaseMs: number): Promise<void> {
    if (worker.isSuccessor) await this.#query("DELETE FROM analytics_worker WHERE name = $1", [worker.name]);
    await this.#query(
      `INSERT INTO analytics_worker (id, name, capacity, expires_at)
       VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 ms')`,
      [worker.id, worker.name, worker.capacity, leaseMs],
    );
  }

  async renew(workerId: string, leaseMs: number): Promise<boolean> {
    const rows = await this.#query(
      `UPDATE analytics_worker
       SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $2 * interval '1 ms'
       WHERE id = $1 RETURNING id`,
      [workerId, leaseMs],
    );
    return rows.length === 1;
  }

  async offer(cameras: readonly LeasableCamera[]): Promise<void> {
    // A camera that was deleted meanwhile is no fault.
    await this.#query(
      `INSERT INTO camera_lease (camera_id, weight)
       SELECT camera.id, offered.weight
       FROM unnest($1::text[], $2::real[]) AS offered (id, weight) JOIN camera USING (id) ORDER BY camera.id
       ON CONFLICT (camera_id) DO UPDATE SET weight = excluded.weight
       WHERE camera_lease.weight <> excluded.weight`,
      [cameras.map(({ cameraId }) => cameraId), cameras.map(({ weight }) => weight)],
    );
  }

  async survey(workerId: string, { freshMs, graceMs }: SurveyTimes): Promise<LeaseSurvey> {
    await this.#query(
      `DELETE FROM analytics_worker WHERE id IN (
         SELECT id FROM analytics_worker WHERE expires_at < clock_timestamp() AND id <> $1
           AND pg_postmaster_start_time() <= clock_timestamp() - $2 * interval '1 ms'
         FOR UPDATE SKIP LOCKED)`,
      [workerId, graceMs],
    );
    const workers = await this.#query<WorkerRow>(
      `SELECT worker.id, worker.capacity, coalesce(sum(lease.weight), 0)::real AS load,
         worker.heartbeat_at > clock_timestamp() - $1 * interval '1 ms' AS fresh,
         (extract(epoch FROM worker.expires_at - clock_timestamp()) * 1000)::float8 AS expires_in_ms
       FROM analytics_worker AS worker LEFT JOIN camera_lease AS lease ON lease.worker = worker.id
       GROUP BY worker.id`,
      [freshMs],
    );
    const leases = await this.#query<LeaseRow>(
      `SELECT camera_id, worker IS NOT NULL AS is_mine, weight FROM camera_lease
       WHERE worker = $1 OR worker IS NULL`,
      [workerId],
    );
    return {
      workers: workers.map(surveyed),
      mine: leases.filter((lease) => lease.is_mine).map(leasable),
      free: leases.filter((lease) => !lease.is_mine).map(leasable),
    };
  }

  async take(workerId: string, cameraIds: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#query<{ camera_id: string }>(
      `WITH free AS (
         SELECT camera_id FROM camera_lease WHERE camera_id = ANY ($2::text[]) AND worker IS NULL
         ORDER BY camera_id FOR UPDATE SKIP LOCKED)
       UPDATE camera_lease SET worker = $1, epoch = epoch + 1, taken_at = clock_timestamp()
       FROM free WHERE camera_lease.camera_id = free.camera_id
       RETURNING camera_lease.camera_id`,
      [workerId, cameraIds],
    );
    return rows.map((row) => row.camera_id);
  }

  async giveUp(workerId: string, cameraIds: readonly string[]): Promise<void> {
    await this.#query(
      "UPDATE camera_lease SET worker = NULL WHERE worker = $1 AND camera_id = ANY ($2::text[])",
      [workerId, cameraIds],
    );
    await this.#tell();
  }

  async leave(workerId: string): Promise<void> {
    await this.#query("DELETE FROM analytics_worker WHERE id = $1", [workerId]);
    await this.#tell();
  }

  onStir(listener: () => void): void {
    this.#onStir = listener;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await (await client?.catch(() => null))?.end().catch(() => undefined);
  }

  async #tell(): Promise<void> {
    await this.#query(`NOTIFY ${CHANNEL}`, []);
  }

  async #query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const connecting = (this.#client ??= this.#connect());
    try {
      const client = await connecting;
      return (await client.query<Row>(text, [...values])).rows;
    } catch (error) {
      if (this.#client === connecting) this.#client = null;
      // Not waited for: a server that hangs would hold the heartbeat up.
      void connecting.then((client) => client.end()).catch(() => undefined);
      throw error;
    }
  }

  async #connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.#databaseUrl,
      application_name: "huishi-analytics-leases",
      connectionTimeoutMillis: ANSWER_MS,
      statement_timeout: ANSWER_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
    });
    // Whoever uses the connection learns of its end; unheard, the event would end the process.
    client.on("error", () => undefined);
    client.on("notification", ({ processId }) => {
      if (processId !== backendOf(client)) this.#onStir();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }
}

/** The server process of this connection (PostgreSQL protocol, BackendKeyData); pg does not type it. */
function backendOf(client: Client): number | undefined {
  return (client as Client & { readonly processID?: number }).processID;
}

function surveyed(row: WorkerRow): SurveyedWorker {
  return {
    id: row.id,
    capacity: row.capacity,
    load: row.load,
    isFresh: row.fresh,
    expiresInMs: row.expires_in_ms,
  };
}

function leasable(row: LeaseRow): LeasableCamera {
  return { cameraId: row.camera_id, weight: row.weight };
}
