import type { Rehearsal } from "@huishi/contracts";
import { type Pool, withTransaction } from "@huishi/platform";
import type { NewRehearsal, RehearsalJobs } from "../../application/rehearsals.ts";

interface Row {
  readonly id: string;
  readonly camera_id: string;
  readonly state: Rehearsal["state"];
  readonly progress: number;
  readonly created_at: Date;
  readonly subject: Rehearsal["subject"];
  readonly baseline: Rehearsal["baseline"];
  readonly source: Rehearsal["source"];
  readonly error: Rehearsal["error"];
  readonly result: Rehearsal["result"];
}

const COLUMNS = "id, camera_id, state, progress, created_at, subject, baseline, source, error";
const OPEN = "state IN ('waiting', 'running')";
/** Any number: who adds a job waits for who is adding one. */
const ADDING_LOCK = 1_501;

const toRehearsal = (row: Row): Rehearsal => ({
  id: row.id,
  cameraId: row.camera_id,
  state: row.state,
  progress: Math.round(row.progress * 1_000) / 1_000,
  createdAtMs: row.created_at.getTime(),
  subject: row.subject,
  baseline: row.baseline,
  source: row.source,
  error: row.error,
  result: row.result,
});

/** Jobs in table `rehearsal` (0015_rehearsal.sql); analytics takes them. */
export class PostgresRehearsalJobs implements RehearsalJobs {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  add(rehearsal: NewRehearsal, room: { own: number; all: number }): Promise<"added" | "own" | "all"> {
    const { id, cameraId, user, subject, baseline, source } = rehearsal;
    return withTransaction(this.#pool, async (client) => {
      await client.query("SELECT pg_advisory_xact_lock($1)", [ADDING_LOCK]);
      const { rows } = await client.query<{ own: number; all: number }>(
        `SELECT count(*) FILTER (WHERE user_id = $1)::int AS own, count(*)::int AS all FROM rehearsal WHERE ${OPEN}`,
        [user.id],
      );
      const open = rows[0] ?? { own: 0, all: 0 };
      if (open.own >= room.own) return "own";
      if (open.all >= room.all) return "all";
      await client.query(
        `INSERT INTO rehearsal (id, camera_id, user_id, user_name, subject, baseline, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [
          id,
          cameraId,
          user.id,
          user.userName,
          JSON.stringify(subject),
          baseline ? JSON.stringify(baseline) : null,
          JSON.stringify(source),
        ],
      );
      return "added";
    });
  }

  async find(id: string): Promise<Rehearsal | null> {
    const { rows } = await this.#pool.query<Row>(`SELECT ${COLUMNS}, result FROM rehearsal WHERE id = $1`, [
      id,
    ]);
    return rows[0] ? toRehearsal(rows[0]) : null;
  }

  async ofCamera(cameraId: string): Promise<Rehearsal[]> {
    const { rows } = await this.#pool.query<Row>(
      `SELECT ${COLUMNS}, result || '{"alarms": []}' AS result
       FROM rehearsal WHERE camera_id = $1 ORDER BY created_at DESC LIMIT 50`,
      [cameraId],
    );
    return rows.map(toRehearsal);
  }

  async cancel(id: string): Promise<void> {
    await this.#pool.query(
      `UPDATE rehearsal SET state = 'cancelled', finished_at = now() WHERE id = $1 AND ${OPEN}`,
      [id],
    );
  }
}
