/** Failures that a name is allowed before it is locked (NIST SP 800-63B §5.2.2 asks for at most 100). */
export const FREE_FAILURES = 5;
const FIRST_LOCK_MS = 30_000;
const LONGEST_LOCK_MS = 15 * 60_000;

/** What is remembered of a name's failed attempts. */
export interface AttemptRecord {
  readonly failedCount: number;
  readonly lockedUntilMs: number | null;
}

export const NO_ATTEMPTS: AttemptRecord = { failedCount: 0, lockedUntilMs: null };

export type AttemptDecision =
  | { readonly allowed: false; readonly retryAfterMs: number }
  | { readonly allowed: true; readonly record: AttemptRecord };

/**
 * Decides on one more attempt BEFORE the password is looked at, and counts it as failed already: a burst of
 * parallel guesses cannot slip through between check and count. Success clears the record. The lock doubles
 * from 30 s to 15 min, so that nobody can keep a person out for good by guessing.
 */
export function decideAttempt(record: AttemptRecord, nowMs: number): AttemptDecision {
  if (record.lockedUntilMs !== null && record.lockedUntilMs > nowMs) {
    return { allowed: false, retryAfterMs: record.lockedUntilMs - nowMs };
  }
  const failedCount = record.failedCount + 1;
  const lockMs = lockAfter(failedCount);
  return { allowed: true, record: { failedCount, lockedUntilMs: lockMs === 0 ? null : nowMs + lockMs } };
}

/** How long a name is locked after this many failures in a row, milliseconds. */
export function lockAfter(failedCount: number): number {
  if (failedCount < FREE_FAILURES) return 0;
  return Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** Math.min(failedCount - FREE_FAILURES, 20));
}
