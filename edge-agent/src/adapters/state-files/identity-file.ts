import { ClaimResponse } from "@huishi/contracts";
import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import type { Identity, IdentityStore } from "../../application/claim-identity.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

const IdentitySchema = Type.Object(
  { ...ClaimResponse.properties, nextSecret: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

/** The agent's id and secret in `identity.json` (mode 0600) of its state folder. */
export class IdentityFile implements IdentityStore {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "identity.json");
  }

  async load(): Promise<Identity | null> {
    const content = await readJsonFile(this.#file);
    return Check(IdentitySchema, content) ? content : null;
  }

  async save(identity: Identity): Promise<void> {
    await writeJsonFile(this.#file, identity);
  }
}
