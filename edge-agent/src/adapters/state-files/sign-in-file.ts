import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import type { SignInBook, SignInStore } from "../../application/sign-in-ledger.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

const BookSchema = Type.Object({
  salt: Type.String({ pattern: "^[0-9a-f]{32}$" }),
  refusals: Type.Array(
    Type.Object({
      camera: Type.String({ maxLength: 300 }),
      fingerprint: Type.String({ pattern: "^[0-9a-f]{64}$" }),
      code: Type.Union([Type.Literal("CAMERA_AUTH_FAILED"), Type.Literal("CAMERA_LOCKED_OUT")]),
      atMs: Type.Number(),
    }),
    { maxItems: 10_000 },
  ),
});

/** Refused sign-ins in `sign-ins.json` (mode 0600) of the state folder; a damaged file is an empty one. */
export class SignInFile implements SignInStore {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "sign-ins.json");
  }

  async load(): Promise<SignInBook | null> {
    const content = await readJsonFile(this.#file);
    return Check(BookSchema, content) ? content : null;
  }

  save(book: SignInBook): Promise<void> {
    return writeJsonFile(this.#file, book);
  }
}
