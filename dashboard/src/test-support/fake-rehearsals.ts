/** Rehearsals as the API and analytics answer them: a job that runs for a few looks, then its result. Tests only. */
import {
  REHEARSAL_CHUNK_BYTES,
  type Rehearsal,
  type RehearsalClip,
  type RehearsalCreateBody,
  type RehearsalResult,
  type RehearsedAlarm,
} from "@huishi/contracts";
import type { IncomingMessage } from "node:http";

type Answer = { readonly status: number; readonly value: unknown };

/** Looks until a job is done. */
const LOOKS = 4;

export class FakeRehearsals {
  /** What was asked for, in order. */
  readonly asked: RehearsalCreateBody[] = [];
  /** Bytes of clips that came. */
  received = 0;
  cancelled = 0;
  /** What the next rehearsals end with. */
  outcome: (asked: RehearsalCreateBody) => RehearsalResult | { code: string; message: string } = () =>
    fakeResult([]);
  /** Jobs stay under way. */
  isSlow = false;
  readonly #jobs = new Map<string, { rehearsal: Rehearsal; looks: number }>();
  #clip: RehearsalClip | null = null;

  async answer(request: IncomingMessage, path: readonly string[]): Promise<Answer> {
    const bytes = await readAll(request);
    const [, id = "", , no] = path;
    const { method } = request;
    if (id === "clips" && method === "POST") return this.#announce(JSON.parse(bytes.toString("utf8")));
    if (id === "clips" && this.#clip) {
      this.received += bytes.length;
      const received = this.#clip.received + 1;
      this.#clip = { ...this.#clip, received, complete: received === this.#clip.chunks };
      return { status: 200, value: this.#clip };
    }
    if (method === "POST") return this.#begin(JSON.parse(bytes.toString("utf8")) as RehearsalCreateBody);
    const job = this.#jobs.get(id);
    if (!job || no !== undefined) return { status: 404, value: { code: "REHEARSAL_NOT_FOUND", message: "" } };
    if (method === "DELETE") {
      this.cancelled += 1;
      job.rehearsal = { ...job.rehearsal, state: "cancelled" };
    } else this.#look(job);
    return { status: 200, value: job.rehearsal };
  }

  #announce({ cameraId, bytes }: { cameraId: string; bytes: number }): Answer {
    const chunks = Math.ceil(bytes / REHEARSAL_CHUNK_BYTES);
    this.#clip = {
      id: "clip-1",
      cameraId,
      bytes,
      chunkBytes: REHEARSAL_CHUNK_BYTES,
      chunks,
      received: 0,
      complete: false,
      expiresAtMs: Date.now() + 86_400_000,
    };
    return { status: 201, value: this.#clip };
  }

  #begin(asked: RehearsalCreateBody): Answer {
    this.asked.push(asked);
    const { cameraId, subject, baseline = null, source } = asked;
    const id = `rehearsal-${String(this.asked.length)}`;
    const rehearsal: Rehearsal = {
      id,
      cameraId,
      state: "waiting",
      progress: 0,
      createdAtMs: Date.now(),
      subject,
      baseline,
      source,
      error: null,
      result: null,
    };
    this.#jobs.set(id, { rehearsal, looks: 0 });
    return { status: 202, value: rehearsal };
  }

  #look(job: { rehearsal: Rehearsal; looks: number }): void {
    if (job.rehearsal.state === "cancelled") return;
    job.looks += 1;
    const isOver = job.looks >= LOOKS && !this.isSlow;
    const outcome = isOver ? this.outcome(this.asked.at(-1) as RehearsalCreateBody) : null;
    if (outcome === null) {
      const progress = Math.min(0.9, job.looks / LOOKS);
      job.rehearsal = { ...job.rehearsal, state: "running", progress };
    } else if ("code" in outcome) job.rehearsal = { ...job.rehearsal, state: "failed", error: outcome };
    else job.rehearsal = { ...job.rehearsal, state: "done", progress: 1, result: outcome };
  }
}

export function fakeResult(
  alarms: readonly RehearsedAlarm[],
  fields: Partial<RehearsalResult> = {},
): RehearsalResult {
  const toMs = Date.now();
  const count = (compared: RehearsedAlarm["compared"]): number =>
    alarms.filter((alarm) => alarm.compared === compared).length;
  return {
    frames: 400_000,
    tracks: 1_284,
    coveredMs: 23.5 * 3_600_000,
    fromMs: toMs - 86_400_000,
    toMs,
    looked: [{ fromMs: toMs - 84_600_000, toMs }],
    raised: count("both") + count("added"),
    baselineRaised: null,
    added: null,
    removed: null,
    alarms: [...alarms],
    ...fields,
  };
}

/** Alarms spread over the last day, with the outcomes in turn. */
export function fakeRehearsedAlarms(
  count: number,
  outcomes: readonly RehearsedAlarm["compared"][],
): RehearsedAlarm[] {
  const toMs = Date.now();
  return Array.from({ length: count }, (_, k) => {
    const startedAtMs = toMs - 86_400_000 + ((k + 0.5) / count) * 86_400_000 * (0.7 + 0.3 * Math.sin(k));
    return {
      startedAtMs: Math.round(startedAtMs),
      capturedAtMs: Math.round(startedAtMs) + 3_000,
      clearedAtMs: Math.round(startedAtMs) + 20_000 + k * 60_000,
      occurrences: 1 + (k % 3),
      objectClass: "person" as const,
      score: 0.6 + (k % 4) * 0.1,
      box: { x: 0.3 + (k % 5) * 0.08, y: 0.4, w: 0.06, h: 0.24 },
      trackIds: [String(k)],
      compared: outcomes[k % outcomes.length] ?? "added",
    };
  }).sort((a, b) => a.capturedAtMs - b.capturedAtMs);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
