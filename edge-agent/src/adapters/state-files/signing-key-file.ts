import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Signer } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";

/** The agent's Ed25519 key in `signing-key.pem` (PKCS #8, mode 0600) of its state folder; it never leaves it. */
export class SigningKeyFile implements Signer {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    const jwk = createPublicKey(key).export({ format: "jwk" });
    this.publicKey = Buffer.from(jwk.x ?? "", "base64url");
    this.keyId = createHash("sha256").update(this.publicKey).digest("hex").slice(0, 16);
  }

  /** Reads the key, or makes one when there is none. @throws EdgeError STATE_DIR when it is damaged or unreadable */
  static async open(stateDir: string): Promise<SigningKeyFile> {
    const file = join(stateDir, "signing-key.pem");
    try {
      const pem = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      return new SigningKeyFile(pem === null ? await makeKey(file) : createPrivateKey(pem));
    } catch (cause) {
      throw new EdgeError("STATE_DIR", "the agent's signing key can neither be read nor made", { cause });
    }
  }

  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.#key);
  }
}

async function makeKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const handle = await open(`${file}.part`, "w", 0o600);
  try {
    await handle.writeFile(privateKey.export({ format: "pem", type: "pkcs8" }));
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.part`, file);
  return privateKey;
}
