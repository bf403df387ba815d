import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import type { CameraAccount, CredentialVault } from "../../application/credential-desk.ts";
import type { Log } from "../../application/ports.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

const Sealed = Type.Object({ iv: Type.String(), tag: Type.String(), data: Type.String() });
const VaultFile = Type.Object({ v: Type.Literal(1), cameras: Type.Record(Type.String(), Sealed) });
const Account = Type.Object({ username: Type.String(), password: Type.String(), atMs: Type.Number() });
interface Entry {
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/**
 * Cameras' accounts in `credentials.json`, each encrypted by AES-256-GCM and bound to its camera's id. The key stands
 * in `keys.json`: so a copy of the accounts alone (a backup, a support bundle, a shared disk that leaves out the keys)
 * tells nothing, and nobody can move an account to another camera. Whoever reads both files as the agent's user or as
 * root reads the accounts too, as the agent itself must.
 */
export class CredentialVaultFile implements CredentialVault {
  readonly #file: string;
  readonly #key: Buffer;
  readonly #entries: Map<string, Entry>;
  readonly #log: Log;

  private constructor(parts: { file: string; key: Buffer; entries: Map<string, Entry>; log: Log }) {
    this.#file = parts.file;
    this.#key = parts.key;
    this.#entries = parts.entries;
    this.#log = parts.log;
  }

  static async open(stateDir: string, key: Buffer, log: Log): Promise<CredentialVaultFile> {
    const file = join(stateDir, "credentials.json");
    const content = await readJsonFile(file);
    const cameras = Check(VaultFile, content) ? content.cameras : {};
    return new CredentialVaultFile({ file, key, entries: new Map(Object.entries(cameras)), log });
  }

  accountOf(cameraId: string): CameraAccount | null {
    const entry = this.#entries.get(cameraId);
    if (!entry) return null;
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(entry.iv, "base64url"), {
        authTagLength: 16,
      });
      decipher.setAAD(Buffer.from(cameraId, "utf8"));
      decipher.setAuthTag(Buffer.from(entry.tag, "base64url"));
      const data = Buffer.concat([decipher.update(Buffer.from(entry.data, "base64url")), decipher.final()]);
      const account: unknown = JSON.parse(data.toString("utf8"));
      if (Check(Account, account)) return account;
    } catch {
      // Told below: what was thrown may quote what it could not read.
    }
    this.#log.warn({ cameraId }, "a camera's stored account cannot be read: set it again at the centre");
    return null;
  }

  async store(cameraId: string, account: CameraAccount | null): Promise<void> {
    const before = new Map(this.#entries);
    if (account) this.#entries.set(cameraId, this.#encrypt(cameraId, account));
    else this.#entries.delete(cameraId);
    try {
      await writeJsonFile(this.#file, { v: 1, cameras: Object.fromEntries(this.#entries) });
    } catch (error) {
      this.#entries.clear();
      for (const [id, entry] of before) this.#entries.set(id, entry);
      throw error;
    }
  }

  #encrypt(cameraId: string, account: CameraAccount): Entry {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv, { authTagLength: 16 });
    cipher.setAAD(Buffer.from(cameraId, "utf8"));
    const data = Buffer.concat([cipher.update(JSON.stringify(account), "utf8"), cipher.final()]);
    const text = (bytes: Buffer): string => bytes.toString("base64url");
    return { iv: text(iv), tag: text(cipher.getAuthTag()), data: text(data) };
  }
}
