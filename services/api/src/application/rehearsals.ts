import {
  MAX_REHEARSAL_MS,
  type Rehearsal,
  type RehearsalCreateBody,
  type RehearsalSubject,
  type RuleKind,
  type Zone,
} from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import type { RuleSettings } from "../domain/rule-fit.ts";
import { checkRange } from "../domain/time-range.ts";
import { checkZoneShape } from "../domain/zone-shape.ts";
import { type CameraStore, getCamera } from "./cameras.ts";
import type { User } from "./identity.ts";
import type { LookStore } from "./looks.ts";
import type { RehearsalClips } from "./rehearsal-clips.ts";

/** Rehearsals of one person that wait or run. */
const MAX_OPEN_REHEARSALS = 3;
/** Of all people together. */
const MAX_WAITING = 200;
const PURPOSE = "rule rehearsal";
/** What these say is seen in the picture's background, not in its tracks. */
const KINDS_OF_PICTURES: readonly RuleKind[] = ["abandoned_object", "object_removed"];

export interface NewRehearsal extends RehearsalCreateBody {
  readonly id: string;
  readonly user: User;
}

export interface RehearsalJobs {
  /** Writes the job when there is room: `own` of this person, `all` of everybody may be open. */
  add(
    rehearsal: NewRehearsal,
    room: { readonly own: number; readonly all: number },
  ): Promise<"added" | "own" | "all">;
  find(id: string): Promise<Rehearsal | null>;
  /** Newest first, at most 50, without their alarms. */
  ofCamera(cameraId: string): Promise<Rehearsal[]>;
  /** Ends a job that waits or runs; one that has ended stays as it is. */
  cancel(id: string): Promise<void>;
}

/** Could a rule stand on a zone that is only drawn? */
export interface RuleCheck {
  checkRuleOn(settings: RuleSettings, cameraId: string, zone: Zone): Promise<void>;
}

export interface RehearsalsParts {
  readonly jobs: RehearsalJobs;
  readonly clips: RehearsalClips;
  readonly cameras: CameraStore;
  readonly looks: LookStore;
  readonly clock: Clock;
  readonly rules: RuleCheck;
}

/** Rules that are tried on what was perceived, or on a clip, before they wake anyone. Analytics does the work. */
export class Rehearsals {
  readonly #parts: RehearsalsParts;

  constructor(parts: RehearsalsParts) {
    this.#parts = parts;
  }

  /**
   * Asks for a rehearsal. A look at what a camera perceived is written down like any other look.
   *
   * @throws HuishiError of checkZoneShape and checkRuleOn, CAMERA_NOT_FOUND, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG,
   *   REHEARSAL_CLIP_NOT_FOUND, REHEARSAL_CLIP_INCOMPLETE, REHEARSAL_NEEDS_CLIP, REHEARSAL_LIMIT, BUSY
   */
  async create(asked: RehearsalCreateBody, user: User): Promise<Rehearsal> {
    const { jobs, clips, cameras } = this.#parts;
    const { cameraId, subject, baseline, source } = asked;
    await getCamera(cameras, cameraId);
    await this.#checkSubject(subject, cameraId);
    if (baseline) await this.#checkSubject(baseline, cameraId);
    if (source.kind === "clip") await clips.requireComplete(source.clipId, cameraId);
    else this.#checkTracks(subject, source);
    const id = randomUUID();
    const outcome = await jobs.add({ ...asked, id, user }, { own: MAX_OPEN_REHEARSALS, all: MAX_WAITING });
    if (outcome === "own") throw limitReached();
    if (outcome === "all")
      throw new HuishiError("BUSY", "Many rehearsals are waiting; try again in a few minutes.");
    if (source.kind === "tracks") await this.#note(user, cameraId);
    return this.get(id);
  }

  /** @throws HuishiError REHEARSAL_NOT_FOUND */
  async get(id: string): Promise<Rehearsal> {
    const found = await this.#parts.jobs.find(id);
    if (!found) throw notFound();
    return found;
  }

  /** @throws HuishiError CAMERA_NOT_FOUND */
  async ofCamera(cameraId: string): Promise<Rehearsal[]> {
    await getCamera(this.#parts.cameras, cameraId);
    return this.#parts.jobs.ofCamera(cameraId);
  }

  /** Ends a rehearsal that waits or runs. @returns it as it then stands @throws HuishiError REHEARSAL_NOT_FOUND */
  async cancel(id: string): Promise<Rehearsal> {
    await this.#parts.jobs.cancel(id);
    return this.get(id);
  }

  async #checkSubject({ zone: drawn, rule }: RehearsalSubject, cameraId: string): Promise<void> {
    checkZoneShape(drawn.kind, drawn.points);
    const zone: Zone = { id: "rehearsed", cameraId, name: "rehearsed", version: 1, ...drawn };
    await this.#parts.rules.checkRuleOn(rule, cameraId, zone);
  }

  #checkTracks(subject: RehearsalSubject, source: { fromMs: number; toMs: number }): void {
    if (KINDS_OF_PICTURES.includes(subject.rule.kind)) {
      throw new HuishiError(
        "REHEARSAL_NEEDS_CLIP",
        "This kind of rule looks at the picture itself, and pictures are not stored; rehearse it on a clip.",
        { details: { field: "source" } },
      );
    }
    checkRange(source, MAX_REHEARSAL_MS);
    if (source.fromMs > this.#parts.clock.nowMs())
      throw new HuishiError("TIME_RANGE_INVALID", "Give a time that has been.", {
        details: { field: "source" },
      });
  }

  async #note(user: User, cameraId: string): Promise<void> {
    const { looks } = this.#parts;
    await looks.endLooks(await looks.startLooks(user, [{ cameraId, profile: "sub" }], PURPOSE));
  }
}

const notFound = (): HuishiError =>
  new HuishiError("REHEARSAL_NOT_FOUND", "There is no such rehearsal; they are kept for a week.");

const limitReached = (): HuishiError =>
  new HuishiError(
    "REHEARSAL_LIMIT",
    `You have ${MAX_OPEN_REHEARSALS} rehearsals under way; wait for one, or cancel it.`,
    { details: { limit: MAX_OPEN_REHEARSALS } },
  );
