import type { Clock } from "@huishi/kernel";
import { createHash, randomBytes } from "node:crypto";
import type { CameraDescription } from "../domain/camera-description.ts";
import { EdgeError, edgeFaultCode, isSignInFault } from "../domain/faults.ts";
import type { CameraDevice, CameraSideEvent, FrameSource, Log, SourceUnit } from "./ports.ts";

type RefusalCode = "CAMERA_AUTH_FAILED" | "CAMERA_LOCKED_OUT";
interface Account {
  readonly username: string;
  readonly password: string;
}

/** One refused account of one camera. The fingerprint is salted and slow to reverse; it is never the password. */
export interface Refusal {
  readonly camera: string;
  readonly fingerprint: string;
  readonly code: RefusalCode;
  readonly atMs: number;
}
export interface SignInBook {
  readonly salt: string;
  readonly refusals: readonly Refusal[];
}
export interface SignInStore {
  load(): Promise<SignInBook | null>;
  save(book: SignInBook): Promise<void>;
}

export interface SignInLedgerOptions {
  readonly store: SignInStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a refused account rests before it may be tried again. */
  readonly restMs: number;
}

/** Cameras that are remembered; the oldest refusal goes first. */
const MAX_REFUSALS = 2_000;

/**
 * Remembers which account a camera refused, over every path to it (ONVIF, RTSP, events, snapshot) and over restarts, so
 * that a wrong password costs one attempt and not the account. Another credential, or `restMs` later, may be tried.
 */
export class SignInLedger {
  readonly #options: SignInLedgerOptions;
  readonly #salt: string;
  readonly #refusals = new Map<string, Refusal>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: SignInLedgerOptions, book: SignInBook | null) {
    this.#options = options;
    this.#salt = book?.salt ?? randomBytes(16).toString("hex");
    for (const refusal of book?.refusals ?? []) this.#refusals.set(refusal.camera, refusal);
  }

  static async open(options: SignInLedgerOptions): Promise<SignInLedger> {
    const book = await options.store.load().catch((err: unknown) => {
      options.log.warn({ err }, "refused sign-ins could not be read");
      return null;
    });
    return new SignInLedger(options, book);
  }

  /** @param camera what the camera is known by: its id, else endpoint, else address */
  gate(camera: string, account: Account | null): SignInGate {
    return new SignInGate(this, camera, account && this.#fingerprint(account));
  }

  /** The refusal that still holds for this account, or null. */
  refusalOf(camera: string, fingerprint: string): Refusal | null {
    const refusal = this.#refusals.get(camera);
    if (refusal?.fingerprint !== fingerprint) return null;
    const restedMs = this.#options.clock.nowMs() - refusal.atMs;
    // A clock that was set back must not keep a camera shut.
    return restedMs >= 0 && restedMs < this.#options.restMs ? refusal : null;
  }

  refused(camera: string, fingerprint: string, code: RefusalCode): Promise<void> {
    this.#refusals.delete(camera);
    this.#refusals.set(camera, { camera, fingerprint, code, atMs: this.#options.clock.nowMs() });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_REFUSALS && oldest !== undefined) this.#refusals.delete(oldest);
    return this.#save();
  }

  accepted(camera: string): Promise<void> {
    return this.#refusals.delete(camera) ? this.#save() : Promise.resolve();
  }

  #fingerprint({ username, password }: Account): string {
    return createHash("sha256")
      .update(JSON.stringify([this.#salt, username, password]))
      .digest("hex");
  }

  #save(): Promise<void> {
    const { store, log } = this.#options;
    this.#writing = this.#writing.then(() =>
      store
        .save({ salt: this.#salt, refusals: [...this.#refusals.values()] })
        .catch((err: unknown) => log.warn({ err }, "refused sign-ins could not be stored")),
    );
    return this.#writing;
  }
}

/** One camera's account before the ledger: work that may sign in goes through it. */
export class SignInGate {
  readonly #ledger: SignInLedger;
  readonly #camera: string;
  readonly #fingerprint: string | null;
  /** Whoever comes while the account is tried for the first time waits for the outcome: two tries would be two attempts. */
  #trial: Promise<unknown> | null = null;
  #isTrusted = false;

  constructor(ledger: SignInLedger, camera: string, fingerprint: string | null) {
    this.#ledger = ledger;
    this.#camera = camera;
    this.#fingerprint = fingerprint;
  }

  /** Work that ends when it has signed in (or failed to). @throws EdgeError the refusal that still holds */
  async try<T>(work: () => Promise<T>): Promise<T> {
    if (this.#fingerprint === null) return work();
    while (this.#trial && !this.#isTrusted) await this.#trial.catch(() => undefined);
    this.assertMayTry();
    const trial = this.#observe(work);
    if (this.#isTrusted) return trial;
    this.#trial = trial;
    try {
      const result = await trial;
      this.#isTrusted = true;
      await this.#ledger.accepted(this.#camera);
      return result;
    } finally {
      this.#trial = null;
    }
  }

  /** Work that goes on for long: it is no trial, and its refusal is written down all the same. */
  async follow<T>(work: () => Promise<T>): Promise<T> {
    if (this.#fingerprint === null) return work();
    while (this.#trial && !this.#isTrusted) await this.#trial.catch(() => undefined);
    this.assertMayTry();
    return this.#observe(work);
  }

  /** @throws EdgeError CAMERA_AUTH_FAILED, CAMERA_LOCKED_OUT: as the camera said, without asking it again */
  assertMayTry(): void {
    if (this.#fingerprint === null) return;
    const refusal = this.#ledger.refusalOf(this.#camera, this.#fingerprint);
    if (refusal) throw new EdgeError(refusal.code, `the camera ${this.#camera} refused this account before`);
  }

  async #observe<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = edgeFaultCode(error);
      if (isSignInFault(code) && this.#fingerprint !== null) {
        this.#isTrusted = false;
        await this.#ledger.refused(this.#camera, this.#fingerprint, code);
      }
      throw error;
    }
  }
}

/** A camera whose every sign-in goes through the ledger. */
export class GuardedCamera implements CameraDevice {
  readonly #device: CameraDevice;
  readonly #gate: SignInGate;

  constructor(device: CameraDevice, gate: SignInGate) {
    this.#device = device;
    this.#gate = gate;
  }

  get address(): string {
    return this.#device.address;
  }

  describe(signal: AbortSignal): Promise<CameraDescription> {
    return this.#gate.try(() => this.#device.describe(signal));
  }

  checkHealth(description: CameraDescription, signal: AbortSignal): Promise<{ clockOffsetMs?: number }> {
    return this.#gate.follow(() => this.#device.checkHealth(description, signal));
  }

  watchMotion(
    onMotion: (isActive: boolean, atMs: number) => void,
    signal: AbortSignal,
    onEvent?: (event: CameraSideEvent) => void,
  ): Promise<void> {
    return this.#gate.follow(() => this.#device.watchMotion(onMotion, signal, onEvent));
  }
}

/** A stream whose sign-in goes through the ledger. */
export class GuardedSource implements FrameSource {
  readonly #source: FrameSource;
  readonly #gate: SignInGate;

  constructor(source: FrameSource, gate: SignInGate) {
    this.#source = source;
    this.#gate = gate;
  }

  run(signal: AbortSignal, onUnits: (units: readonly SourceUnit[]) => void): Promise<void> {
    return this.#gate.follow(() => this.#source.run(signal, onUnits));
  }
}
