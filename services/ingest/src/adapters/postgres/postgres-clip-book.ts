import type { Pool } from "@huishi/platform";
import type { ClipBook, FinishedClip, WantedClip } from "../../application/clip-intake.ts";
import type { DeadUpload } from "../../application/upload-intake.ts";
import type { ClipRequests } from "../../application/clip-requests.ts";

/** How long a clip command may wait for its agent to begin. */
const VALID_MS = 60_000;
/** A clip that makes no progress for so long is asked for again ... */
const STALL_MINUTES = 10;
/** ... and given up after so many times. */
const MAX_ATTEMPTS = 5;

/** Clips in PostgreSQL: intake, and which ones are asked for when. */
export class PostgresClipBook implements ClipBook, ClipRequests {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async wanted(agentId: string, clipId: string): Promise<WantedClip | null> {
    const found = await this.#pool.query<{ camera_id: string; profile: string }>({
      name: "wanted-clip",
      text: `SELECT camera_id, profile FROM clip
             WHERE id = $1 AND agent_id = $2 AND state IN ('wanted', 'sent', 'receiving')`,
      values: [clipId, agentId],
    });
    const row = found.rows[0];
    return row ? { cameraId: row.camera_id, profile: row.profile } : null;
  }

  async progress(clipId: string, bytes: number): Promise<void> {
    await this.#pool.query(
      "UPDATE clip SET state = 'receiving', bytes = $2, progress_at = now() WHERE id = $1 AND state <> 'ready'",
      [clipId, bytes],
    );
  }

  async ready(clipId: string, clip: FinishedClip): Promise<void> {
    await this.#pool.query(
      `UPDATE clip SET state = 'ready', bytes = $2, sha256 = decode($3, 'hex'), signature = $4, manifest = $5,
         code = $6, message = $7, progress_at = now(), finished_at = now() WHERE id = $1`,
      [clipId, clip.bytes, clip.sha256, clip.signature, JSON.stringify(clip.signed), clip.code, clip.message],
    );
  }

  async failed(clipId: string, code: string, message: string): Promise<void> {
    await this.#pool.query(
      "UPDATE clip SET state = 'failed', code = $2, message = $3, finished_at = now() WHERE id = $1",
      [clipId, code, message],
    );
  }

  async publicKey(agentId: string, keyId: string): Promise<Uint8Array | null> {
    const found = await this.#pool.query<{ public_key: Buffer }>(
      "SELECT public_key FROM agent_key WHERE agent_id = $1 AND kind = 'sign' AND key_id = $2 AND revoked_at IS NULL",
      [agentId, keyId],
    );
    return found.rows[0]?.public_key ?? null;
  }

  async deadLetter(letter: DeadUpload): Promise<void> {
    const { agentId, topic, code, reason, payload } = letter;
    await this.#pool.query(
      `INSERT INTO dead_letter (agent_id, topic, code, reason, payload, truncated) VALUES ($1, $2, $3, $4, $5, true)`,
      [agentId, topic, code, reason, Buffer.from(payload)],
    );
  }

  /** What the agents said to the commands, and which stand still. */
  async settle(): Promise<void> {
    await this.#pool.query(
      `UPDATE clip SET state = 'failed', code = command.code, message = command.message, finished_at = now()
       FROM agent_command AS command
       WHERE command.id = clip.command_id AND clip.state = 'sent' AND command.state = 'failed'
         AND command.code IS DISTINCT FROM 'UPLOAD_QUEUE_FULL'`,
    );
    await this.#pool.query(
      `UPDATE clip SET
         state = CASE WHEN attempts >= $2 THEN 'failed' ELSE 'wanted' END,
         code = CASE WHEN attempts >= $2 THEN 'CLIP_STALLED' END,
         message = CASE WHEN attempts >= $2 THEN 'the agent was asked ' || attempts || ' times' END,
         finished_at = CASE WHEN attempts >= $2 THEN now() END
       FROM agent_command AS command
       WHERE command.id = clip.command_id AND clip.state IN ('sent', 'receiving')
         AND (command.state = 'expired' OR command.code = 'UPLOAD_QUEUE_FULL'
              OR clip.progress_at < now() - $1 * interval '1 minute')`,
      [STALL_MINUTES, MAX_ATTEMPTS],
    );
  }

  /** Other clips go at once, those that fill gaps one after the other; a command a clip. */
  async request(): Promise<string[]> {
    const asked = await this.#pool.query<{ id: string }>(
      `WITH due AS (
         SELECT clip.*, row_number() OVER (PARTITION BY clip.agent_id, purpose = 'backfill'
                                           ORDER BY clip.created_at, clip.from_at) AS place
         FROM clip JOIN agent ON agent.id = clip.agent_id
         WHERE clip.state = 'wanted' AND agent.online AND agent.revoked_at IS NULL
       ), chosen AS (
         SELECT *, 'clip-' || gen_random_uuid() AS new_command FROM due
         WHERE place <= 8 AND (purpose <> 'backfill' OR (place = 1 AND NOT EXISTS (
           SELECT FROM clip AS running WHERE running.agent_id = due.agent_id AND running.purpose = 'backfill'
             AND running.state IN ('sent', 'receiving'))))
       ), command AS (
         INSERT INTO agent_command (id, agent_id, body, valid_ms, created_by)
         SELECT new_command, agent_id, jsonb_build_object('kind', 'clip', 'cameraId', camera_id, 'profile', profile,
           'fromMs', (extract(epoch FROM from_at) * 1000)::bigint, 'toMs', (extract(epoch FROM to_at) * 1000)::bigint,
           'transferId', id), $1, requested_by
         FROM chosen
       )
       UPDATE clip SET state = 'sent', command_id = chosen.new_command, attempts = clip.attempts + 1,
         progress_at = now()
       FROM chosen WHERE chosen.id = clip.id RETURNING clip.id`,
      [VALID_MS],
    );
    return asked.rows.map(({ id }) => id);
  }
}
