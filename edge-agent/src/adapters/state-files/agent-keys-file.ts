import { newSealKeyPair, newSignKeyPair, type SealKeyPair, type SignKeyPair } from "@huishi/platform";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import { EdgeError } from "../../domain/faults.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

const RawKey = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });
const Pair = Type.Object({ publicKey: RawKey, privateKey: RawKey });
const KeysFile = Type.Object({ v: Type.Literal(1), sign: Pair, seal: Pair, store: RawKey });

/** Private halves included: nothing of this leaves the machine but the two public keys. */
export interface AgentKeys {
  /** Ed25519: says that something comes from this agent. */
  readonly sign: SignKeyPair;
  /** X25519: what is sealed to it, this agent alone can open. */
  readonly seal: SealKeyPair;
  /** 32 bytes: encrypts what is stored on this machine. */
  readonly store: Buffer;
}

/**
 * The agent's keys in `keys.json` (mode 0600) of its state folder, made at the first start. A damaged file is a fault
 * and never replaced: with new keys the centre would not know the agent any more, nor the agent its cameras' accounts.
 *
 * @throws EdgeError STATE_DIR
 */
export async function openAgentKeys(stateDir: string): Promise<AgentKeys> {
  const file = join(stateDir, "keys.json");
  let content: unknown;
  try {
    content = await readJsonFile(file, { damaged: "throw" });
  } catch (cause) {
    throw new EdgeError("STATE_DIR", `the agent's keys in ${file} cannot be read`, { cause });
  }
  if (content === null) {
    const made = { sign: newSignKeyPair(), seal: newSealKeyPair(), store: randomBytes(32) };
    await writeJsonFile(file, {
      v: 1,
      sign: textOf(made.sign),
      seal: textOf(made.seal),
      store: made.store.toString("base64url"),
    });
    return made;
  }
  if (!Check(KeysFile, content)) throw new EdgeError("STATE_DIR", `the agent's keys in ${file} are damaged`);
  return {
    sign: pairOf(content.sign),
    seal: pairOf(content.seal),
    store: Buffer.from(content.store, "base64url"),
  };
}

const textOf = (pair: SignKeyPair): { publicKey: string; privateKey: string } => ({
  publicKey: pair.publicKey.toString("base64url"),
  privateKey: pair.privateKey.toString("base64url"),
});
const pairOf = (text: { publicKey: string; privateKey: string }): SignKeyPair => ({
  publicKey: Buffer.from(text.publicKey, "base64url"),
  privateKey: Buffer.from(text.privateKey, "base64url"),
});
