import { ManualClock } from "@huishi/kernel";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LeasableCamera } from "../domain/index.ts";
import type { LeaseStore, LeaseSurvey, SurveyTimes, Worker } from "./camera-leases.ts";
import { CameraTenure, LEASE_TIMES } from "./camera-tenure.ts";
import { FaultLog } from "./fault-log.ts";

/** The database's side, in memory: one row a worker, one a camera. */
class MemoryLeases implements LeaseStore {
  static workers = new Map<string, { capacity: number; expiresAtMs: number; heartbeatAtMs: number }>();
  static cameras = new Map<string, { worker: string | null; weight: number }>();
  static clock = new ManualClock(0);
  isAway = false;
  stir: () => void = () => undefined;

  register(worker: Worker, leaseMs: number): Promise<void> {
    return this.#answer(() => this.#write(worker.id, worker.capacity, leaseMs));
  }
  renew(id: string, leaseMs: number): Promise<boolean> {
    return this.#answer(() => {
      const row = MemoryLeases.workers.get(id);
      if (row) this.#write(id, row.capacity, leaseMs);
      return row !== undefined;
    });
  }
  offer(cameras: readonly LeasableCamera[]): Promise<void> {
    return this.#answer(() => {
      for (const { cameraId, weight } of cameras)
        MemoryLeases.cameras.set(cameraId, {
          worker: MemoryLeases.cameras.get(cameraId)?.worker ?? null,
          weight,
        });
    });
  }
  survey(me: string, { freshMs }: SurveyTimes): Promise<LeaseSurvey> {
    return this.#answer(() => {
      const nowMs = MemoryLeases.clock.nowMs();
      for (const [id, { expiresAtMs }] of MemoryLeases.workers)
        if (id !== me && expiresAtMs < nowMs) this.#free(id);
      const held = [...MemoryLeases.cameras].map(([cameraId, row]) => ({ cameraId, ...row }));
      return {
        workers: [...MemoryLeases.workers].map(([id, row]) => ({
          id,
          capacity: row.capacity,
          load: held.filter(({ worker }) => worker === id).length,
          isFresh: row.heartbeatAtMs > nowMs - freshMs,
          expiresInMs: row.expiresAtMs - nowMs,
        })),
        mine: held.filter(({ worker }) => worker === me),
        free: held.filter(({ worker }) => worker === null),
      };
    });
  }
  take(me: string, cameraIds: readonly string[]): Promise<string[]> {
    return this.#answer(() => {
      const free = cameraIds.filter((id) => MemoryLeases.cameras.get(id)?.worker === null);
      for (const id of free) MemoryLeases.cameras.set(id, { worker: me, weight: 1 });
      return free;
    });
  }
  giveUp(_me: string, cameraIds: readonly string[]): Promise<void> {
    return this.#answer(() => {
      for (const id of cameraIds) MemoryLeases.cameras.set(id, { worker: null, weight: 1 });
    });
  }
  leave(me: string): Promise<void> {
    return this.#answer(() => this.#free(me));
  }
  onStir(listener: () => void): void {
    this.stir = listener;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  #write(id: string, capacity: number, leaseMs: number): void {
    const nowMs = MemoryLeases.clock.nowMs();
    MemoryLeases.workers.set(id, { capacity, expiresAtMs: nowMs + leaseMs, heartbeatAtMs: nowMs });
  }
  #free(worker: string): void {
    MemoryLeases.workers.delete(worker);
    for (const [id, row] of MemoryLeases.cameras)
      if (row.worker === worker) MemoryLeases.cameras.set(id, { ...row, worker: null });
  }
  #answer<T>(answer: () => T): Promise<T> {
    return this.isAway ? Promise.reject(new Error("ECONNREFUSED")) : Promise.resolve().then(answer);
  }
}

class Process {
  readonly store = new MemoryLeases();
  readonly analysed = new Set<string>();
  readonly tenure: CameraTenure;
  readonly stop = new AbortController();
  #boots = 0;

  constructor(name: string) {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    this.tenure = new CameraTenure({
      store: this.store,
      worker: { name, capacity: 1, isSuccessor: false },
      newId: () => `${name}-${(this.#boots += 1)}`,
      clock: MemoryLeases.clock,
      faults: new FaultLog(log, MemoryLeases.clock),
      log,
    });
  }

  start(cameras: number): void {
    this.tenure.want(new Map(Array.from({ length: cameras }, (_, i) => [`cam-${i}`, 1] as const)));
    void this.tenure.run(this.stop.signal, {
      take: (ids) => ids.forEach((id) => this.analysed.add(id)),
      leave: (ids) => {
        ids.forEach((id) => this.analysed.delete(id));
        return Promise.resolve();
      },
    });
  }

  get held(): number {
    return [...this.analysed].filter((id) => this.tenure.isHeld(id)).length;
  }
}

/** Lets time pass for the database, the processes and their timers alike. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    MemoryLeases.clock.advance(10);
    await vi.advanceTimersByTimeAsync(10);
  }
}

let processes: Process[];
const open = (name: string): Process => {
  const process = new Process(name);
  processes.push(process);
  return process;
};

beforeEach(() => {
  vi.useFakeTimers();
  processes = [];
  MemoryLeases.workers.clear();
  MemoryLeases.cameras.clear();
});
afterEach(() => {
  for (const { stop } of processes) stop.abort();
  vi.useRealTimers();
});

describe("CameraTenure", () => {
  it("holds every camera at once when it is the only one", async () => {
    const only = open("only");
    only.start(200);
    await pass(100);
    expect(only.held).toBe(200);
  });

  it("shares with a newcomer within a few rounds, and takes all back when that one leaves", async () => {
    const [a, b] = [open("a"), open("b")];
    a.start(40);
    await pass(100);
    b.start(40);
    await pass(12_000);
    expect(a.held + b.held).toBe(40);
    expect(b.held).toBeGreaterThanOrEqual(18);
    b.stop.abort();
    await pass(100);
    b.analysed.clear();
    void b.tenure.release();
    a.store.stir();
    await pass(200);
    expect(a.held).toBe(40);
  });

  it("takes over from one that died within its lease", async () => {
    const [a, b] = [open("a"), open("b")];
    a.start(40);
    b.start(40);
    await pass(12_000);
    b.stop.abort();
    await pass(LEASE_TIMES.leaseMs + 600);
    expect(a.held).toBe(40);
  });

  it("stops before its lease could end when the database is away and others may take over", async () => {
    const [a, b] = [open("a"), open("b")];
    a.start(40);
    b.start(40);
    await pass(12_000);
    b.store.isAway = true;
    // The last heartbeat that got through lies up to one beat back.
    await pass(LEASE_TIMES.leaseMs - LEASE_TIMES.marginMs + 10);
    expect(b.held).toBe(0);
    expect(b.analysed.size).toBe(0);
    await pass(LEASE_TIMES.marginMs + 600);
    expect(a.held).toBe(40);
    b.store.isAway = false;
    await pass(12_000);
    expect(b.held).toBeGreaterThanOrEqual(18);
    expect(a.held + b.held).toBe(40);
  });

  it("concludes nothing after it stood still, until the database has answered", async () => {
    const [a, b] = [open("a"), open("b")];
    a.start(4);
    b.start(4);
    await pass(8_000);
    expect(b.held).toBeGreaterThan(0);
    // Time passes and no timer of the process runs.
    MemoryLeases.clock.advance(5_100);
    expect(b.held).toBe(0);
    expect(b.analysed.size).toBeGreaterThan(0);
    await pass(LEASE_TIMES.beatMs + 100);
    expect(b.held).toBeGreaterThan(0);
  });

  it("goes on alone while the database is away, and keeps its cameras when it is back", async () => {
    const only = open("only");
    only.start(10);
    await pass(100);
    only.store.isAway = true;
    for (let minute = 0; minute < 2; minute++) {
      await pass(60_000);
      expect(only.held).toBe(10);
    }
    only.store.isAway = false;
    await pass(3_000);
    expect(only.held).toBe(10);
    expect([...MemoryLeases.workers.keys()]).toEqual(["only-1"]);
  });

  it("is not alone any more after it stood still, even if it was: it asks first", async () => {
    const only = open("only");
    only.start(10);
    await pass(100);
    MemoryLeases.clock.advance(10_000);
    expect(only.held).toBe(0);
    await pass(LEASE_TIMES.beatMs + 100);
    expect(only.held).toBe(10);
  });

  it("begins anew under another id when others have written it off", async () => {
    const [a, b] = [open("a"), open("b")];
    a.start(10);
    b.start(10);
    await pass(12_000);
    b.store.isAway = true;
    await pass(20_000);
    b.store.isAway = false;
    await pass(12_000);
    expect(b.tenure.workerIds).toEqual(["b-1", "b-2"]);
    expect(b.held).toBeGreaterThan(0);
  });

  it("gives back what is not to be analysed any more", async () => {
    const only = open("only");
    only.start(10);
    await pass(100);
    only.tenure.want(new Map([["cam-3", 1]]));
    await pass(200);
    expect([...only.analysed]).toEqual(["cam-3"]);
    expect([...MemoryLeases.cameras.values()].filter(({ worker }) => worker !== null)).toHaveLength(1);
  });
});
