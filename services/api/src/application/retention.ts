import type { LegalHold, RetentionPolicy } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { type NameDirectory, requireKnown } from "./scope.ts";
import { settle, type Versioned } from "./versioned.ts";

export interface PolicyChange {
  readonly dataset: string;
  readonly minDays: number;
  readonly maxDays: number;
  readonly basis: string;
  readonly version: number;
  readonly actor: string;
}

export interface HoldDraft {
  readonly dataset: string | null;
  readonly cameraId: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
}

export interface RetentionStore {
  listPolicies(): Promise<RetentionPolicy[]>;
  updatePolicy(change: PolicyChange): Promise<Versioned<RetentionPolicy>>;
  /** Newest first. */
  listHolds(asked: { released: boolean; before: string | null; limit: number }): Promise<LegalHold[]>;
  findHold(id: string): Promise<LegalHold | null>;
  insertHold(hold: HoldDraft & { readonly actor: string }): Promise<LegalHold>;
  /** The hold, released now; null when there is none to release. */
  releaseHold(release: { id: string; reason: string; actor: string }): Promise<LegalHold | null>;
}

/** Rollups look back nine days for late events: rows must not be gone before (migration 0003). */
const SHORTEST_MAX_DAYS = 10;

/** @throws HuishiError RETENTION_AGES, RETENTION_POLICY_NOT_FOUND, VERSION_CONFLICT */
export async function changePolicy(store: RetentionStore, change: PolicyChange): Promise<RetentionPolicy> {
  const { dataset, minDays, maxDays } = change;
  if (maxDays < minDays) {
    throw agesInvalid("The longest age is below the shortest; raise `maxDays` or lower `minDays`.", change);
  }
  if (maxDays < SHORTEST_MAX_DAYS) {
    throw agesInvalid("Nothing may go before 10 days: sums are still made of it; raise `maxDays`.", change);
  }
  return settle(await store.updatePolicy(change), () => policyNotFound(dataset));
}

export async function pageHolds(
  store: RetentionStore,
  asked: { released?: boolean; before?: string; limit?: number },
): Promise<{ legalHolds: LegalHold[]; next: string | null }> {
  const { released = false, before = null, limit = 100 } = asked;
  const rows = await store.listHolds({ released, before, limit: limit + 1 });
  const legalHolds = rows.slice(0, limit);
  return { legalHolds, next: rows.length > limit ? (legalHolds.at(-1)?.id ?? null) : null };
}

/** @throws HuishiError TIME_RANGE_INVALID, RETENTION_POLICY_NOT_FOUND, CAMERA_NOT_FOUND */
export async function placeHold(
  parts: { store: RetentionStore; names: NameDirectory },
  draft: HoldDraft,
  actor: string,
): Promise<LegalHold> {
  const { fromMs, toMs, dataset, cameraId } = draft;
  if (fromMs >= toMs) {
    throw new HuishiError("TIME_RANGE_INVALID", "`fromMs` has to lie before `toMs`.", {
      details: { fromMs, toMs },
    });
  }
  if (cameraId !== null) await requireKnown(parts.names, "camera", [cameraId]);
  if (dataset !== null) {
    const known = await parts.store.listPolicies();
    if (!known.some((policy) => policy.dataset === dataset)) throw policyNotFound(dataset);
  }
  return parts.store.insertHold({ ...draft, actor });
}

/** @throws HuishiError LEGAL_HOLD_NOT_FOUND, LEGAL_HOLD_RELEASED */
export async function releaseHold(
  store: RetentionStore,
  release: { id: string; reason: string; actor: string },
): Promise<LegalHold> {
  const released = await store.releaseHold(release);
  if (released !== null) return released;
  const hold = await store.findHold(release.id);
  if (hold === null) {
    throw new HuishiError("LEGAL_HOLD_NOT_FOUND", "There is no such legal hold; read the list again.", {
      details: { id: release.id },
    });
  }
  throw new HuishiError(
    "LEGAL_HOLD_RELEASED",
    "This legal hold was released before; it protects nothing any more.",
    {
      details: { legalHold: hold },
    },
  );
}

function agesInvalid(message: string, { dataset, minDays, maxDays }: PolicyChange): HuishiError {
  return new HuishiError("RETENTION_AGES", message, { details: { dataset, minDays, maxDays } });
}

function policyNotFound(dataset: string): HuishiError {
  return new HuishiError(
    "RETENTION_POLICY_NOT_FOUND",
    "There is no such dataset; read the list of policies.",
    {
      details: { dataset },
    },
  );
}
