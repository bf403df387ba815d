import { type Clock, HuishiError } from "@huishi/kernel";
import { planLeases } from "../domain/index.ts";
import type { LeaseStore, LeaseSurvey, Tenant, Tenure, Worker } from "./camera-leases.ts";
import type { FaultLog } from "./fault-log.ts";
import type { Log } from "./ports.ts";

export interface LeaseTimes {
  /** For how long one heartbeat holds, by the database's clock. */
  readonly leaseMs: number;
  readonly beatMs: number;
  /** The analysis stops this long before the lease could end. */
  readonly marginMs: number;
  /** A worker that was silent for longer is given nothing. */
  readonly freshMs: number;
  /** After a heartbeat that failed. */
  readonly retryMs: number;
}

export const LEASE_TIMES: LeaseTimes = {
  leaseMs: 6_000,
  beatMs: 2_000,
  marginMs: 1_000,
  freshMs: 3_000,
  retryMs: 250,
};

export interface CameraTenureOptions {
  readonly store: LeaseStore;
  readonly worker: Omit<Worker, "id">;
  /** Never gives the same twice, anywhere. */
  readonly newId: () => string;
  /** Goes on while the process stands still (domain/leases/unstopped-clock.ts). */
  readonly clock: Clock;
  readonly faults: FaultLog;
  readonly log: Log;
  readonly times?: LeaseTimes;
}

const HYSTERESIS = 0.1;
/** Cameras that one worker gives up in one round: a tenth of its own, and at least this many. */
const MIN_MOVES = 8;
/** Rounds follow each other no faster, however often others stir. */
const MIN_ROUND_MS = 50;
/** While cameras are free that fall to a worker which may be dying. */
const FREE_ROUND_MS = 500;
/** Others whose lease ends are looked after this long behind it. */
const AFTER_EXPIRY_MS = 20;
/** A heartbeat that failed within this time: we keep asking, the database does not answer. */
const ASKED_LATELY_MS = 5_000;
const UNREACHED = {
  code: "LEASES_UNREACHED",
  message: "the leases of cameras cannot be renewed: check that PostgreSQL runs",
};

/**
 * Holds cameras for this process: heartbeat, taking what is free, giving up what others should have, and stopping in
 * time by our own clock when the heartbeat does not get through (self-fencing). A worker that is alone goes on while the
 * database does not answer: nobody was there to take its cameras, and what is perceived must not be lost.
 */
export class CameraTenure implements Tenure {
  readonly name = "camera leases";
  readonly #options: CameraTenureOptions;
  readonly #times: LeaseTimes;
  readonly #held = new Set<string>();
  /** Given up by the analysis, not yet by the database. */
  readonly #leaving = new Set<string>();
  readonly #ids: string[] = [];
  #wanted: ReadonlyMap<string, number> = new Map();
  #isOffered = true;
  #isRegistered = false;
  #isAlone = false;
  /** On our clock. The database lets nobody else have the cameras before `marginMs` after it. */
  #validUntilMs = -Infinity;
  #failedAtMs = -Infinity;
  #fence: NodeJS.Timeout | null = null;
  #wake: () => void = () => undefined;
  #isWoken = false;

  constructor(options: CameraTenureOptions) {
    this.#options = options;
    this.#times = options.times ?? LEASE_TIMES;
    options.store.onStir(() => this.#stir());
  }

  /** Every id that this process has had: rows with one of them are its own. */
  get workerIds(): readonly string[] {
    return this.#ids;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** The heartbeat got through in time, or nobody else is there to take the cameras. */
  get isValid(): boolean {
    return this.#options.clock.nowMs() < this.#validUntilMs || this.#mayGoOnAlone();
  }

  want(cameras: ReadonlyMap<string, number>): void {
    this.#wanted = cameras;
    this.#isOffered = false;
    this.#stir();
  }

  isHeld(cameraId: string): boolean {
    return this.#held.has(cameraId) && this.isValid;
  }

  async run(signal: AbortSignal, tenant: Tenant): Promise<void> {
    const onAbort = (): void => this.#stir();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        const pauseMs = await this.#tryRound(tenant);
        await this.#pause(pauseMs);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Everything that was held is free for others at once. The analysis must have stopped. */
  async release(): Promise<void> {
    this.#held.clear();
    if (this.#fence) clearTimeout(this.#fence);
    const id = this.#ids.at(-1);
    try {
      if (this.#isRegistered && id !== undefined) await this.#options.store.leave(id);
    } catch (error) {
      this.#options.faults.report(error, UNREACHED);
    }
    await this.#options.store.close();
  }

  #mayGoOnAlone(): boolean {
    const { clock } = this.#options;
    // Only while we keep asking in vain: after a standstill of our own the database is asked first.
    return this.#isAlone && clock.nowMs() - this.#failedAtMs < ASKED_LATELY_MS;
  }

  /** One round; returns how long to wait for the next. */
  async #tryRound(tenant: Tenant): Promise<number> {
    try {
      const pauseMs = await this.#round(tenant);
      this.#options.faults.recovered(UNREACHED.code);
      return pauseMs;
    } catch (error) {
      this.#failedAtMs = this.#options.clock.nowMs();
      this.#options.faults.report(error, UNREACHED, { isAlone: this.#isAlone, held: this.#held.size });
      return this.#times.retryMs;
    }
  }

  async #round(tenant: Tenant): Promise<number> {
    const { store } = this.#options;
    const id = await this.#beat(tenant);
    if (!this.#isOffered) {
      const wanted = this.#wanted;
      await store.offer([...wanted].map(([cameraId, weight]) => ({ cameraId, weight })));
      if (wanted === this.#wanted) this.#isOffered = true;
    }
    const survey = await store.survey(id, { freshMs: this.#times.freshMs, graceMs: this.#times.leaseMs });
    this.#isAlone = survey.workers.every((worker) => worker.id === id);
    this.#settle(survey, tenant);
    const free = survey.free.filter(({ cameraId }) => this.#wanted.has(cameraId));
    const limits = {
      hysteresis: HYSTERESIS,
      maxMoves: Math.max(MIN_MOVES, Math.ceil(survey.mine.length / 10)),
    };
    const mine = survey.mine.filter(({ cameraId }) => this.#isKept(cameraId));
    const plan = planLeases({ me: id, workers: survey.workers, mine, free }, limits);
    const taken = plan.take.length > 0 ? await store.take(id, plan.take) : [];
    this.#hold(taken, tenant);
    this.#giveUp(id, plan.giveUp, tenant);
    this.#giveUp(
      id,
      survey.mine.map(({ cameraId }) => cameraId).filter((cameraId) => !this.#wanted.has(cameraId)),
      tenant,
    );
    return this.#nextRoundMs(survey, free.length > taken.length);
  }

  /** Renews, or registers anew under an id of its own; returns the id. */
  async #beat(tenant: Tenant): Promise<string> {
    const { store, worker, newId, clock, log } = this.#options;
    const { leaseMs, marginMs } = this.#times;
    const current = this.#ids.at(-1);
    let sentAtMs = clock.nowMs();
    if (current !== undefined && this.#isRegistered) {
      if (await store.renew(current, leaseMs)) {
        this.#extend(sentAtMs + leaseMs - marginMs, tenant);
        return current;
      }
      log.warn(
        { code: "LEASES_LOST", held: this.#held.size },
        "the leases ran out; the cameras are others' now",
      );
      this.#isRegistered = false;
      void this.#drop([...this.#held], tenant);
    }
    const id = newId();
    sentAtMs = clock.nowMs();
    await store.register(
      { ...worker, id, isSuccessor: worker.isSuccessor && current === undefined },
      leaseMs,
    );
    this.#ids.push(id);
    this.#isRegistered = true;
    this.#extend(sentAtMs + leaseMs - marginMs, tenant);
    return id;
  }

  #extend(validUntilMs: number, tenant: Tenant): void {
    this.#validUntilMs = validUntilMs;
    if (this.#fence) clearTimeout(this.#fence);
    this.#fence = setTimeout(() => this.#fenceOff(tenant), validUntilMs - this.#options.clock.nowMs());
  }

  /** The heartbeat did not get through in time. */
  #fenceOff(tenant: Tenant): void {
    const leftMs = this.#validUntilMs - this.#options.clock.nowMs();
    if (leftMs > 0 || this.#mayGoOnAlone()) {
      this.#fence = setTimeout(() => this.#fenceOff(tenant), Math.max(leftMs, this.#times.retryMs));
      return;
    }
    this.#options.faults.report(
      new HuishiError(
        "LEASES_UNRENEWED",
        "the heartbeat did not get through in time: the analysis stops, others may take its cameras",
      ),
      UNREACHED,
      { held: this.#held.size },
    );
    void this.#drop([...this.#held], tenant);
    this.#stir();
  }

  /**
   * What the database says is ours and what is held here become the same. Nothing is waited for between the survey and
   * here: a camera that is given up meanwhile must not be taken for ours again.
   */
  #settle(survey: LeaseSurvey, tenant: Tenant): void {
    const mine = new Set(survey.mine.map(({ cameraId }) => cameraId));
    const lost = [...this.#held].filter((cameraId) => !mine.has(cameraId));
    const back = [...mine].filter((cameraId) => !this.#held.has(cameraId) && this.#isKept(cameraId));
    void this.#drop(lost, tenant);
    this.#hold(back, tenant);
    this.#options.faults.recovered("LEASES_UNRENEWED");
  }

  #isKept(cameraId: string): boolean {
    return this.#wanted.has(cameraId) && !this.#leaving.has(cameraId);
  }

  #hold(cameraIds: readonly string[], tenant: Tenant): void {
    if (cameraIds.length === 0) return;
    for (const cameraId of cameraIds) this.#held.add(cameraId);
    tenant.take(cameraIds);
  }

  async #drop(cameraIds: readonly string[], tenant: Tenant): Promise<void> {
    if (cameraIds.length === 0) return;
    for (const cameraId of cameraIds) this.#held.delete(cameraId);
    await tenant.leave(cameraIds);
  }

  /** First the analysis ends, then the lease; heartbeats do not wait for either. */
  #giveUp(id: string, cameraIds: readonly string[], tenant: Tenant): void {
    const going = cameraIds.filter((cameraId) => !this.#leaving.has(cameraId));
    if (going.length === 0) return;
    for (const cameraId of going) this.#leaving.add(cameraId);
    void this.#drop(going, tenant)
      .then(() => this.#options.store.giveUp(id, going))
      .catch((error: unknown) => this.#options.faults.report(error, UNREACHED))
      .finally(() => {
        for (const cameraId of going) this.#leaving.delete(cameraId);
      });
  }

  #nextRoundMs({ workers }: LeaseSurvey, isSomethingFree: boolean): number {
    const id = this.#ids.at(-1);
    const expiries = workers.filter((worker) => worker.id !== id).map(({ expiresInMs }) => expiresInMs);
    return Math.max(
      MIN_ROUND_MS,
      Math.min(
        this.#times.beatMs,
        isSomethingFree ? FREE_ROUND_MS : Infinity,
        // Late ones that the database does not give up yet are looked after now and then.
        ...expiries.map((expiresInMs) => (expiresInMs > 0 ? expiresInMs + AFTER_EXPIRY_MS : FREE_ROUND_MS)),
      ),
    );
  }

  #stir(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Until the time is over or somebody stirs, but for a moment at least. */
  async #pause(pauseMs: number): Promise<void> {
    await sleepMs(Math.min(pauseMs, MIN_ROUND_MS));
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, pauseMs - MIN_ROUND_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = () => undefined;
    this.#isWoken = false;
  }
}

function sleepMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
