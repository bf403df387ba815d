import { type Pool, withTransaction } from "@huishi/platform";
import type { IdentityStore, StoredSession, User } from "../../application/identity.ts";
import type { Role } from "../../domain/rights.ts";
import type { AttemptDecision, AttemptRecord } from "../../domain/sign-in-lock.ts";

interface UserRow {
  readonly id: string;
  readonly user_name: string;
  readonly role: Role;
}

interface SessionRow extends UserRow {
  readonly token_hash: Buffer;
  readonly created_at: Date;
  readonly expires_at: Date;
}

const toUser = (row: UserRow): User => ({ id: row.id, userName: row.user_name, role: row.role });

/** People, their failed attempts and their sessions. Only digests of tokens are stored. */
export class PostgresIdentityStore implements IdentityStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async hasAdministrator(): Promise<boolean> {
    const found = await this.#pool.query("SELECT 1 FROM app_user WHERE role = 'administrator' LIMIT 1");
    return found.rows.length > 0;
  }

  async isSetupToken(tokenHash: Buffer, notBeforeMs: number): Promise<boolean> {
    const found = await this.#pool.query(
      "SELECT 1 FROM setup_token WHERE token_hash = $1 AND created_at >= $2",
      [tokenHash, new Date(notBeforeMs)],
    );
    return found.rows.length > 0;
  }

  createFirstAdministrator(setup: {
    tokenHash: Buffer;
    userName: string;
    passwordHash: string;
  }): Promise<User | null> {
    return withTransaction(this.#pool, async (client) => {
      // The table lock makes two set-ups with two tokens wait for each other: only one can be the first.
      await client.query("LOCK TABLE setup_token IN EXCLUSIVE MODE");
      const used = await client.query("DELETE FROM setup_token WHERE token_hash = $1", [setup.tokenHash]);
      if (used.rowCount !== 1) return null;
      const existing = await client.query("SELECT 1 FROM app_user WHERE role = 'administrator' LIMIT 1");
      if (existing.rows.length > 0) return null;
      const created = await client.query<UserRow>(
        `INSERT INTO app_user (user_name, password_hash, role) VALUES ($1, $2, 'administrator')
         RETURNING id, user_name, role`,
        [setup.userName, setup.passwordHash],
      );
      return toUser(created.rows[0] as UserRow);
    });
  }

  /** Replaces older tokens; false when there is an administrator already. */
  replaceSetupToken(tokenHash: Buffer): Promise<boolean> {
    return withTransaction(this.#pool, async (client) => {
      await client.query("LOCK TABLE setup_token IN EXCLUSIVE MODE");
      await client.query("DELETE FROM setup_token");
      const existing = await client.query("SELECT 1 FROM app_user WHERE role = 'administrator' LIMIT 1");
      if (existing.rows.length > 0) return false;
      await client.query("INSERT INTO setup_token (token_hash) VALUES ($1)", [tokenHash]);
      return true;
    });
  }

  async findUser(userName: string): Promise<{ user: User; passwordHash: string } | null> {
    const found = await this.#pool.query<UserRow & { password_hash: string }>(
      "SELECT id, user_name, role, password_hash FROM app_user WHERE lower(user_name) = lower($1)",
      [userName],
    );
    const row = found.rows[0];
    return row === undefined ? null : { user: toUser(row), passwordHash: row.password_hash };
  }

  countAttempt(
    userName: string,
    decide: (record: AttemptRecord) => AttemptDecision,
  ): Promise<AttemptDecision | null> {
    return withTransaction(this.#pool, async (client) => {
      const found = await client.query<{ id: string; failed_count: number; locked_until: Date | null }>(
        "SELECT id, failed_count, locked_until FROM app_user WHERE lower(user_name) = lower($1) FOR UPDATE",
        [userName],
      );
      const row = found.rows[0];
      if (row === undefined) return null;
      const decision = decide({
        failedCount: row.failed_count,
        lockedUntilMs: row.locked_until?.getTime() ?? null,
      });
      if (decision.allowed) {
        const { failedCount, lockedUntilMs } = decision.record;
        await client.query("UPDATE app_user SET failed_count = $2, locked_until = $3 WHERE id = $1", [
          row.id,
          failedCount,
          lockedUntilMs === null ? null : new Date(lockedUntilMs),
        ]);
      }
      return decision;
    });
  }

  async clearAttempts(userId: string): Promise<void> {
    await this.#pool.query("UPDATE app_user SET failed_count = 0, locked_until = NULL WHERE id = $1", [
      userId,
    ]);
  }

  async createSession(session: StoredSession): Promise<void> {
    await this.#pool.query(
      "INSERT INTO user_session (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
      [session.tokenHash, session.user.id, new Date(session.createdAtMs), new Date(session.expiresAtMs)],
    );
  }

  async findSession(tokenHash: Buffer): Promise<StoredSession | null> {
    const found = await this.#pool.query<SessionRow>(
      `SELECT s.token_hash, s.created_at, s.expires_at, u.id, u.user_name, u.role
       FROM user_session s JOIN app_user u ON u.id = s.user_id WHERE s.token_hash = $1`,
      [tokenHash],
    );
    const row = found.rows[0];
    if (row === undefined) return null;
    return {
      tokenHash: row.token_hash,
      user: toUser(row),
      createdAtMs: row.created_at.getTime(),
      expiresAtMs: row.expires_at.getTime(),
    };
  }

  async extendSession(tokenHash: Buffer, expiresAtMs: number): Promise<void> {
    await this.#pool.query("UPDATE user_session SET expires_at = $2 WHERE token_hash = $1", [
      tokenHash,
      new Date(expiresAtMs),
    ]);
  }

  async deleteSession(tokenHash: Buffer): Promise<void> {
    await this.#pool.query("DELETE FROM user_session WHERE token_hash = $1", [tokenHash]);
  }

  /** Which of these sessions go on, as hex digests. */
  async liveSessions(tokenHashes: readonly Buffer[], nowMs: number): Promise<Set<string>> {
    const found = await this.#pool.query<{ token_hash: Buffer }>(
      "SELECT token_hash FROM user_session WHERE token_hash = ANY($1::bytea[]) AND expires_at > $2",
      [tokenHashes, new Date(nowMs)],
    );
    return new Set(found.rows.map((row) => row.token_hash.toString("hex")));
  }
}
