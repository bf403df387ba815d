/** What holding cameras needs from outside (adapters/postgres/camera-lease-store.ts). */
import type { LeasableCamera, WorkerLoad } from "../domain/index.ts";

export interface Worker {
  /** Of this start of this process: never used again. */
  readonly id: string;
  readonly name: string;
  /** Its share of the load, relative to the other workers. */
  readonly capacity: number;
  /**
   * Whoever had this name before is known to be dead (a lock on the machine says so): its cameras are taken over
   * without waiting for its lease to end.
   */
  readonly isSuccessor: boolean;
}

export interface SurveyedWorker extends WorkerLoad {
  /** Until its lease ends, by the database's clock. */
  readonly expiresInMs: number;
}

export interface SurveyTimes {
  /** A worker that was heard of within this time is fresh. */
  readonly freshMs: number;
  /** After a start of the database nobody is late for this long: nobody could renew while it was away. */
  readonly graceMs: number;
}

export interface LeaseSurvey {
  readonly workers: readonly SurveyedWorker[];
  readonly mine: readonly LeasableCamera[];
  readonly free: readonly LeasableCamera[];
}

/**
 * The leases, kept by the database and timed by its clock. No call leaves a transaction open: whoever is stopped in the
 * middle must not keep others from taking over.
 */
export interface LeaseStore {
  register(worker: Worker, leaseMs: number): Promise<void>;
  /** False: the worker's row is gone, and its cameras with it. A late one that nobody deleted is renewed. */
  renew(workerId: string, leaseMs: number): Promise<boolean>;
  /** Makes these cameras known, with their weights. */
  offer(cameras: readonly LeasableCamera[]): Promise<void>;
  /** Frees what late workers hold, then says how things are. */
  survey(workerId: string, times: SurveyTimes): Promise<LeaseSurvey>;
  /** Takes those that are still free; says which. */
  take(workerId: string, cameraIds: readonly string[]): Promise<readonly string[]>;
  /** Gives cameras up and tells the other workers. */
  giveUp(workerId: string, cameraIds: readonly string[]): Promise<void>;
  /** Ends the worker's row: all its cameras are free at once; tells the other workers. */
  leave(workerId: string): Promise<void>;
  /** Called when another worker gave something up or left. One listener. */
  onStir(listener: () => void): void;
  close(): Promise<void>;
}

/** Who analyses the cameras that are held. */
export interface Tenant {
  /** These may be analysed from now on. */
  take(cameraIds: readonly string[]): void;
  /** These may not any more; resolves when they are not. Never rejects. */
  leave(cameraIds: readonly string[]): Promise<void>;
}

/** Which cameras this process may analyse. */
export interface Tenure {
  /** What there is to analyse: camera id to weight. May be told again at any time. */
  want(cameras: ReadonlyMap<string, number>): void;
  /** By our own clock, now: asked of each frame before anything is concluded from it. */
  isHeld(cameraId: string): boolean;
  /** Keeps the leases until the signal aborts; a database that is away is asked again. */
  run(signal: AbortSignal, tenant: Tenant): Promise<void>;
}
