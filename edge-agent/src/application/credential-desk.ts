import { credentialContext } from "@huishi/contracts";
import { openSealed, type SealKeyPair } from "@huishi/platform";
import { Type } from "typebox";
import { Check } from "typebox/value";
import { EdgeError } from "../domain/faults.ts";
import type { CommandHandler } from "./ports.ts";

const Account = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 256 }),
    password: Type.String({ maxLength: 256 }),
    atMs: Type.Number(),
  },
  { additionalProperties: false },
);

/** `atMs`: when the centre sealed it. */
export interface CameraAccount {
  readonly username: string;
  readonly password: string;
  readonly atMs: number;
}

/** Where cameras' accounts are kept; nobody but the camera's own connections reads them. */
export interface CredentialVault {
  accountOf(cameraId: string): CameraAccount | null;
  store(cameraId: string, account: CameraAccount | null): Promise<void>;
}

/**
 * Carries out `credential`: opens the account that was sealed for this agent and this camera, and keeps it. Nothing of
 * it is answered, logged or thrown.
 */
export function credentialHandler(parts: {
  readonly agentId: string;
  readonly keys: SealKeyPair;
  readonly vault: CredentialVault;
  /** The camera is to be signed in to anew. */
  onChanged(cameraId: string): void;
}): CommandHandler<"credential"> {
  return async ({ cameraId, sealed }) => {
    const account =
      sealed === "" ? null : openAccount(parts.keys, sealed, credentialContext(parts.agentId, cameraId));
    const known = parts.vault.accountOf(cameraId);
    if (account && known && account.atMs < known.atMs)
      throw new EdgeError("CREDENTIAL_REFUSED", "the account is older than the one that is there");
    await parts.vault.store(cameraId, account);
    parts.onChanged(cameraId);
    return {};
  };
}

function openAccount(keys: SealKeyPair, sealed: string, context: string): CameraAccount {
  try {
    const opened: unknown = JSON.parse(
      openSealed(keys, Buffer.from(sealed, "base64url"), context).toString("utf8"),
    );
    if (Check(Account, opened)) return opened;
  } catch {
    // The cause may quote the message: it goes no further.
  }
  throw new EdgeError("CREDENTIAL_REFUSED", "the account cannot be opened");
}
