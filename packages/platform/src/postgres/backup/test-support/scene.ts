import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLogger } from "../../../logger.ts";
import { createPool, type Pool } from "../../pool.ts";
import type { RestoredFiles } from "../restore-options.ts";

export const logger = createLogger({ name: "test", level: "silent" });

/** Files that are counted and thrown away. */
export function noFiles(): RestoredFiles & { readonly staged: Map<string, string>; published: boolean } {
  const staged = new Map<string, string>();
  return {
    staged,
    published: false,
    async stage(name, content) {
      const chunks: Buffer[] = [];
      for await (const chunk of content) chunks.push(chunk);
      staged.set(name, Buffer.concat(chunks).toString("utf8"));
    },
    async publish() {
      this.published = true;
    },
    async discard() {
      staged.clear();
    },
  };
}

/** A folder of one test. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "huishi-backup-"));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Rows in every table that people and devices fill. */
export async function fill(pool: Pool, detections: number): Promise<void> {
  await pool.query(`
    INSERT INTO agent (id, name, secret_hash, status) VALUES ('a1', '路口 1', '\\x00ff0a', '{"b": 1.50, "a": [null, "\\t"]}');
    INSERT INTO camera (id, agent_id, name) VALUES ('c1', 'a1', E'tab\\t line\\n back\\\\slash'), ('c2', 'a1', '\\N');
    INSERT INTO zone (id, camera_id, name, kind, points) VALUES ('z1', 'c1', '门', 'polygon', '[[0,0],[1,0],[1,1]]');
    INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ('r1', 'c1', 'z1', '{}');
    INSERT INTO app_user (user_name, password_hash, role) VALUES ('wang', 'x', 'administrator');
    INSERT INTO user_session (token_hash, user_id, expires_at)
      SELECT '\\x01', id, now() + interval '1 hour' FROM app_user;
    INSERT INTO alarm (camera_id, alarm_class, priority, captured_at, started_at, last_occurred_at)
      VALUES ('c1', 'intrusion', 'P1', now(), now() - interval '0.000001 s', now());
    INSERT INTO alarm_snapshot (alarm_id, jpeg, sha256) SELECT id, '\\xffd8000a09', '\\x' FROM alarm;`);
  await pool.query(
    `INSERT INTO detection (captured_at, camera_no, track_id, class_code, score, x, y, w, h)
     SELECT now() - i * interval '1 ms', i % 2 + 1, i, i % 10, i % 10000, i % 9999, 1, 2, 3
     FROM generate_series(1, $1::int) AS i`,
    [detections],
  );
}

export async function onPool<T>(databaseUrl: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool(databaseUrl, { max: 2 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
