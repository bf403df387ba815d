import {
  type AgentConfig,
  type AgentConfigBody,
  type AgentConfigRecord,
  type AgentDetail,
  checkAgentConfig,
  credentialContext,
  secretChangeText,
} from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { isSignedBy, seal } from "@huishi/platform";
import { agentNotFound, type AgentCommands, requireDone } from "./agent-commands.ts";

/** How far an agent's clock may lie from ours when it changes its secret. */
const SECRET_CLOCK_MS = 10 * 60_000;
/** An account is of use later too: the agent may be busy. */
const CREDENTIAL_VALID_MS = 10_000;

export interface AgentControlStore {
  agentDetail(agentId: string): Promise<AgentDetail | null>;
  /** null when there is no such agent. */
  configOf(agentId: string): Promise<AgentConfigRecord | null>;
  /** False when the stored revision is not `expectedRevision` (0: none). Revisions rise by one. */
  saveConfig(change: {
    agentId: string;
    expectedRevision: number;
    config: AgentConfig;
    by: string;
  }): Promise<boolean>;
  /** The public key in use, or null. */
  keyOf(agentId: string, kind: "sign" | "seal"): Promise<Uint8Array | null>;
  /** Both secrets are good from now on. False when revoked, or when `atMs` is not after the last change. */
  saveNextSecret(agentId: string, secretHash: Uint8Array, atMs: number): Promise<boolean>;
  /** False when there is no such agent. Revoked ones stay revoked. */
  revoke(agentId: string): Promise<boolean>;
}

/** What an administrator does to an agent, beside commands. */
export class AgentControl {
  readonly #store: AgentControlStore;
  readonly #commands: AgentCommands;
  readonly #clock: Clock;

  constructor(parts: { store: AgentControlStore; commands: AgentCommands; clock: Clock }) {
    this.#store = parts.store;
    this.#commands = parts.commands;
    this.#clock = parts.clock;
  }

  /** @throws HuishiError AGENT_NOT_FOUND */
  async detail(agentId: string): Promise<AgentDetail> {
    return required(await this.#store.agentDetail(agentId));
  }

  /** @throws HuishiError AGENT_NOT_FOUND */
  async config(agentId: string): Promise<AgentConfigRecord> {
    return required(await this.#store.configOf(agentId));
  }

  /**
   * Keeps a new configuration; ingest tells it to the agent, which says in its status whether it applied it.
   *
   * @throws HuishiError AGENT_NOT_FOUND, AGENT_CONFIG_INVALID, CONFIG_CONFLICT with the newer revision
   */
  async changeConfig(
    agentId: string,
    change: { expectedRevision: number; config: AgentConfigBody; by: string },
  ): Promise<AgentConfigRecord> {
    const { expectedRevision, by } = change;
    const config: AgentConfig = {
      ...change.config,
      v: 1,
      revision: expectedRevision + 1,
      issuedAtMs: this.#clock.nowMs(),
    };
    const fault = checkAgentConfig(config);
    if (fault) {
      throw new HuishiError("AGENT_CONFIG_INVALID", `The configuration's ${fault.path} ${fault.message}.`, {
        details: { ...fault },
      });
    }
    await this.config(agentId);
    const isSaved = await this.#store.saveConfig({ agentId, expectedRevision, config, by });
    const current = await this.config(agentId);
    if (isSaved) return current;
    throw new HuishiError(
      "CONFIG_CONFLICT",
      "Somebody changed this configuration in the meantime; make the change on the newer one.",
      { details: { current: current.config?.revision ?? 0 } },
    );
  }

  /**
   * Seals a camera's account to its agent's key and sends it. It is in clear in this call alone.
   *
   * @throws HuishiError CAMERA_NOT_FOUND, AGENT_WITHOUT_KEY, those of a command
   */
  async setCredential(
    target: { agentId: string; cameraId: string; by: string },
    account: { username: string; password: string } | null,
  ): Promise<void> {
    const { agentId, cameraId, by } = target;
    const sealed = account ? await this.#sealed(agentId, cameraId, account) : "";
    const body = { kind: "credential", cameraId, sealed } as const;
    requireDone(await this.#commands.send(agentId, body, { validMs: CREDENTIAL_VALID_MS, by }));
  }

  /** @throws HuishiError AGENT_NOT_FOUND */
  async revoke(agentId: string): Promise<void> {
    if (!(await this.#store.revoke(agentId))) throw agentNotFound();
  }

  /**
   * The agent makes a new secret; the old one is dead once it signed in with the new one.
   *
   * @throws HuishiError those of a command
   */
  async rotateSecret(agentId: string, by: string): Promise<void> {
    requireDone(await this.#commands.send(agentId, { kind: "rotate_secret" }, { by, waitMs: 20_000 }));
  }

  /**
   * What an agent says on its own: the digest of the secret that it changes to, signed by its key. A message counts
   * once: its time must be after the last one's.
   *
   * @throws HuishiError AGENT_SIGNATURE_INVALID, for unknown agents too
   */
  async changeSecret(
    agentId: string,
    change: { secretHash: string; atMs: number; signature: string },
  ): Promise<void> {
    const { secretHash, atMs } = change;
    const key = await this.#store.keyOf(agentId, "sign");
    const text = secretChangeText({ agentId, secretHash, atMs });
    const isTimely = Math.abs(this.#clock.nowMs() - atMs) <= SECRET_CLOCK_MS;
    const isSigned = key !== null && isSignedBy(key, text, Buffer.from(change.signature, "base64url"));
    if (
      isTimely &&
      isSigned &&
      (await this.#store.saveNextSecret(agentId, Buffer.from(secretHash, "hex"), atMs))
    )
      return;
    throw new HuishiError(
      "AGENT_SIGNATURE_INVALID",
      "The change of the secret is not signed by this agent now.",
    );
  }

  async #sealed(
    agentId: string,
    cameraId: string,
    account: { username: string; password: string },
  ): Promise<string> {
    const key = await this.#store.keyOf(agentId, "seal");
    if (!key) {
      throw new HuishiError(
        "AGENT_WITHOUT_KEY",
        "This agent was claimed before agents had keys; claim it anew to send it accounts.",
      );
    }
    const { username, password } = account;
    const message = Buffer.from(JSON.stringify({ username, password, atMs: this.#clock.nowMs() }), "utf8");
    return seal(key, message, credentialContext(agentId, cameraId)).toString("base64url");
  }
}

function required<T>(found: T | null): T {
  if (found === null) throw agentNotFound();
  return found;
}
