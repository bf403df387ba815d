import type { Session } from "@huishi/contracts";
import { type Clock, HuishiError, sleep } from "@huishi/kernel";
import type { Role } from "../domain/rights.ts";
import {
  type AttemptDecision,
  type AttemptRecord,
  decideAttempt,
  NO_ATTEMPTS,
} from "../domain/sign-in-lock.ts";
import { newToken, type Secrets } from "./secrets.ts";

export interface User {
  readonly id: string;
  readonly userName: string;
  readonly role: Role;
}

/** A signed-in person's session as the store keeps it; the token itself is known to the browser alone. */
export interface StoredSession {
  readonly tokenHash: Buffer;
  readonly user: User;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface IdentityStore {
  hasAdministrator(): Promise<boolean>;
  isSetupToken(tokenHash: Buffer, notBeforeMs: number): Promise<boolean>;
  /** Consumes the token and creates the first administrator in one transaction; null when the token is gone. */
  createFirstAdministrator(setup: {
    tokenHash: Buffer;
    userName: string;
    passwordHash: string;
  }): Promise<User | null>;
  findUser(userName: string): Promise<{ user: User; passwordHash: string } | null>;
  /** Applies `decide` to the user's record under a row lock; null when there is no such user. */
  countAttempt(
    userName: string,
    decide: (record: AttemptRecord) => AttemptDecision,
  ): Promise<AttemptDecision | null>;
  clearAttempts(userId: string): Promise<void>;
  createSession(session: StoredSession): Promise<void>;
  findSession(tokenHash: Buffer): Promise<StoredSession | null>;
  extendSession(tokenHash: Buffer, expiresAtMs: number): Promise<void>;
  deleteSession(tokenHash: Buffer): Promise<void>;
}

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(passwordHash: string, password: string): Promise<boolean>;
  /** Costs what `verify` costs and is never right: for names that do not exist. */
  verifyDecoy(password: string): Promise<void>;
}

export interface SignedIn {
  readonly token: string;
  readonly session: Session;
}

const SESSION_MS = 24 * 3600_000;
/** A session that is used is renewed, but never beyond this age. */
const SESSION_LIFE_MS = 7 * 24 * 3600_000;
const SETUP_TOKEN_MS = 24 * 3600_000;
/** A failed sign-in is answered no sooner: what the database spends on a name that exists stays hidden. */
const FAILED_SIGN_IN_MS = 200;
/** Names that do not exist are locked like those that do; this many are remembered. */
const MAX_UNKNOWN_NAMES = 10_000;

export interface IdentityParts {
  readonly store: IdentityStore;
  readonly hasher: PasswordHasher;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Told when a session ends by sign-out, so that its sockets end too. */
  readonly onSessionEnded?: (tokenHash: Buffer) => void;
}

/** Who somebody is: set-up, sign-in, sign-out and sessions. */
export class Identity {
  readonly #parts: IdentityParts;
  readonly #unknownNames = new Map<string, AttemptRecord>();

  constructor(parts: IdentityParts) {
    this.#parts = parts;
  }

  async needsSetup(): Promise<boolean> {
    return !(await this.#parts.store.hasAdministrator());
  }

  /** Creates the first administrator and signs in. @throws HuishiError SETUP_TOKEN_INVALID */
  async setUp(request: { token: string; userName: string; password: string }): Promise<SignedIn> {
    const { store, hasher, secrets, clock } = this.#parts;
    const tokenHash = secrets.sha256(request.token);
    // The token is looked at before the password is hashed: hashing is what an attacker would make us do.
    const isKnown = await store.isSetupToken(tokenHash, clock.nowMs() - SETUP_TOKEN_MS);
    if (!isKnown) throw setupTokenInvalid();
    const passwordHash = await hasher.hash(request.password);
    const user = await store.createFirstAdministrator({
      tokenHash,
      userName: request.userName,
      passwordHash,
    });
    if (user === null) throw setupTokenInvalid();
    return this.#openSession(user);
  }

  /**
   * @throws HuishiError SIGN_IN_FAILED or SIGN_IN_LOCKED, after the same time and in the same words for names
   * that exist and names that do not
   */
  async signIn(request: { userName: string; password: string }): Promise<SignedIn> {
    const notBefore = sleep(FAILED_SIGN_IN_MS);
    try {
      return await this.#trySignIn(request);
    } catch (err) {
      await notBefore;
      throw err;
    }
  }

  async #trySignIn(request: { userName: string; password: string }): Promise<SignedIn> {
    const { store, hasher } = this.#parts;
    const decision = await this.#countAttempt(request.userName);
    if (!decision.allowed) throw signInLocked(decision.retryAfterMs);
    const found = await store.findUser(request.userName);
    if (found === null) await hasher.verifyDecoy(request.password);
    if (found === null || !(await hasher.verify(found.passwordHash, request.password))) throw signInFailed();
    await store.clearAttempts(found.user.id);
    return this.#openSession(found.user);
  }

  async signOut(tokenHash: Buffer): Promise<void> {
    await this.#parts.store.deleteSession(tokenHash);
    this.#parts.onSessionEnded?.(tokenHash);
  }

  /**
   * The session behind a browser's token, or null when there is none, or none any more. `renewed` tells that
   * the browser's cookie is to be given its new end.
   */
  async findSession(token: string): Promise<{ session: StoredSession; renewed: boolean } | null> {
    const { store, secrets, clock } = this.#parts;
    const session = await store.findSession(secrets.sha256(token));
    const nowMs = clock.nowMs();
    if (session === null || session.expiresAtMs <= nowMs) return null;
    const renewedUntilMs = Math.min(nowMs + SESSION_MS, session.createdAtMs + SESSION_LIFE_MS);
    if (session.expiresAtMs - nowMs > SESSION_MS / 2 || renewedUntilMs <= session.expiresAtMs) {
      return { session, renewed: false };
    }
    await store.extendSession(session.tokenHash, renewedUntilMs);
    return { session: { ...session, expiresAtMs: renewedUntilMs }, renewed: true };
  }

  async #openSession(user: User): Promise<SignedIn> {
    const { store, secrets, clock } = this.#parts;
    const { token, tokenHash } = newToken(secrets);
    const createdAtMs = clock.nowMs();
    const session = { tokenHash, user, createdAtMs, expiresAtMs: createdAtMs + SESSION_MS };
    await store.createSession(session);
    return { token, session: describeSession(session) };
  }

  async #countAttempt(userName: string): Promise<AttemptDecision> {
    const nowMs = this.#parts.clock.nowMs();
    const decide = (record: AttemptRecord): AttemptDecision => decideAttempt(record, nowMs);
    return (await this.#parts.store.countAttempt(userName, decide)) ?? this.#countUnknown(userName, decide);
  }

  #countUnknown(userName: string, decide: (record: AttemptRecord) => AttemptDecision): AttemptDecision {
    const name = userName.toLowerCase();
    const decision = decide(this.#unknownNames.get(name) ?? NO_ATTEMPTS);
    if (!decision.allowed) return decision;
    this.#unknownNames.delete(name);
    this.#unknownNames.set(name, decision.record);
    const oldest = this.#unknownNames.keys().next();
    if (this.#unknownNames.size > MAX_UNKNOWN_NAMES && !oldest.done) this.#unknownNames.delete(oldest.value);
    return decision;
  }
}

/** What the browser may know of a session. */
export function describeSession(session: StoredSession): Session {
  const { user, expiresAtMs } = session;
  return { userId: user.id, userName: user.userName, role: user.role, expiresAtMs };
}

const setupTokenInvalid = (): HuishiError =>
  new HuishiError(
    "SETUP_TOKEN_INVALID",
    "The set-up link is not valid any more; restart Huishi and use the link that it prints.",
  );

const signInFailed = (): HuishiError =>
  new HuishiError("SIGN_IN_FAILED", "User name or password is wrong; check both and try again.");

const signInLocked = (retryAfterMs: number): HuishiError =>
  new HuishiError(
    "SIGN_IN_LOCKED",
    `Too many failed attempts; try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    {
      details: { retryAfterMs },
    },
  );
