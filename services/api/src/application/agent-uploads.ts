// Logs and snapshots that agents send on request.
import { type AgentUpload, MAX_LOGS_BYTES, type UploadKind } from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import { isAllowed } from "../domain/rights.ts";
import { type AgentCommands, requireDone } from "./agent-commands.ts";
import type { User } from "./identity.ts";
import type { LookStore } from "./looks.ts";

const DEFAULT_LOGS_BYTES = MAX_LOGS_BYTES / 4;
/** The camera is asked first, or the log is packed. */
const VALID_MS = 10_000;

export interface NewUpload {
  readonly id: string;
  readonly agentId: string;
  readonly cameraId: string | null;
  readonly kind: UploadKind;
  readonly by: string;
  readonly purpose: string | null;
}

export interface UploadStore {
  /** False when there is no such agent. */
  add(upload: NewUpload): Promise<boolean>;
  find(id: string): Promise<AgentUpload | null>;
  fail(id: string, code: string, message: string): Promise<void>;
}

export interface UploadContents {
  /** null when the file is not here. */
  open(id: string): Promise<AsyncIterable<Uint8Array> | null>;
}

export interface UploadContent {
  readonly type: string;
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface UploadsOptions {
  readonly store: UploadStore;
  /** null: this server keeps none. */
  readonly contents: UploadContents | null;
  readonly commands: AgentCommands;
  readonly looks: LookStore;
}

export class AgentUploads {
  readonly #options: UploadsOptions;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  /**
   * Asks an agent for the newest lines of its log; they come after the answer.
   *
   * @throws HuishiError CLIPS_NOT_KEPT and those of AgentCommands.send, COMMAND_FAILED
   */
  async requestLogs(agentId: string, maxBytes: number | undefined, person: User): Promise<AgentUpload> {
    const id = randomUUID();
    const body = { kind: "logs", maxBytes: maxBytes ?? DEFAULT_LOGS_BYTES, transferId: id } as const;
    return this.#request(
      { id, agentId, cameraId: null, kind: "logs", by: person.userName, purpose: null },
      body,
    );
  }

  /**
   * Asks a camera for one picture. The look is written down with its purpose.
   *
   * @throws HuishiError CLIPS_NOT_KEPT, CAMERA_NOT_FOUND and those of AgentCommands.send, COMMAND_FAILED
   */
  async requestSnapshot(cameraId: string, purpose: string, person: User): Promise<AgentUpload> {
    const { commands, contents } = this.#options;
    if (!contents) throw notKept();
    const agentId = await commands.agentOfCamera(cameraId);
    const id = randomUUID();
    await this.#noteLook(cameraId, purpose, person);
    const body = { kind: "snapshot", cameraId, transferId: id } as const;
    return this.#request({ id, agentId, cameraId, kind: "snapshot", by: person.userName, purpose }, body);
  }

  /** @throws HuishiError UPLOAD_NOT_FOUND, NOT_ALLOWED */
  async get(id: string, person: User): Promise<AgentUpload> {
    const upload = await this.#options.store.find(id);
    if (!upload) throw notFound();
    if (upload.kind === "logs" && !isAllowed(person.role, "administer")) {
      throw new HuishiError("NOT_ALLOWED", "Your role does not allow this; ask an administrator.", {
        details: { right: "administer" },
      });
    }
    return upload;
  }

  /** @throws HuishiError CLIPS_NOT_KEPT, UPLOAD_NOT_FOUND, UPLOAD_NOT_READY, NOT_ALLOWED */
  async content(id: string, person: User): Promise<UploadContent> {
    const { contents } = this.#options;
    if (!contents) throw notKept();
    const upload = await this.get(id, person);
    if (upload.state !== "ready")
      throw new HuishiError("UPLOAD_NOT_READY", "It has not come (yet); look at its state.");
    const bytes = await contents.open(id);
    if (!bytes) throw notFound();
    const at = new Date(upload.createdMs).toISOString().replaceAll(/[:.]/g, "-");
    if (upload.kind === "logs")
      return { type: "application/gzip", name: `${upload.agentId}-${at}.log.gz`, bytes };
    if (upload.cameraId !== null) await this.#noteLook(upload.cameraId, upload.purpose ?? "", person);
    return { type: "image/jpeg", name: `${upload.cameraId ?? upload.agentId}-${at}.jpg`, bytes };
  }

  /** The upload is known before the agent can send it. */
  async #request(upload: NewUpload, body: Parameters<AgentCommands["send"]>[1]): Promise<AgentUpload> {
    const { store, contents, commands } = this.#options;
    if (!contents) throw notKept();
    const { id, agentId, by } = upload;
    if (!(await store.add(upload))) throw new HuishiError("AGENT_NOT_FOUND", "There is no such agent.");
    try {
      requireDone(await commands.send(agentId, body, { validMs: VALID_MS, by }));
    } catch (error) {
      const code = error instanceof HuishiError ? error.code : "INTERNAL";
      await store.fail(id, code, error instanceof HuishiError ? messageOf(error) : "something went wrong");
      throw error;
    }
    const asked = await store.find(id);
    if (!asked) throw notFound();
    return asked;
  }

  async #noteLook(cameraId: string, purpose: string, person: User): Promise<void> {
    const { looks } = this.#options;
    await looks.endLooks(await looks.startLooks(person, [{ cameraId, profile: "main" }], purpose));
  }
}

const notFound = (): HuishiError =>
  new HuishiError("UPLOAD_NOT_FOUND", "There is no such upload; they are kept for a week.");
const notKept = (): HuishiError =>
  new HuishiError("CLIPS_NOT_KEPT", "This server keeps no uploads; set HUISHI_CLIPS_DIR for ingest and api.");
