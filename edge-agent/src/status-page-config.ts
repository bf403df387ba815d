// The status page's part of the agent's own configuration file.
import { type Static, Type } from "typebox";
import { isLoopbackAddress } from "./domain/loopback.ts";
import { EdgeError } from "./domain/faults.ts";

const MIN_TOKEN = 12;

export const StatusPageSchema = Type.Object(
  {
    /** Default 127.0.0.1. Elsewhere a token (password, passwordFile) is required. */
    address: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    port: Type.Integer({ minimum: 0, maximum: 65535 }),
    /** The token that a browser is asked for as a password, with any user name. */
    password: Type.Optional(Type.String({ maxLength: 256 })),
    /** File whose first line it is; relative to the configuration file. */
    passwordFile: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type StatusPageConfig = Static<typeof StatusPageSchema>;

/**
 * Where the page is served; null when it is not. No page is open to the site's network without a token.
 *
 * @throws EdgeError CONFIG_INVALID, STATUS_PAGE_OPEN
 */
export function statusPageOf(
  config: StatusPageConfig | undefined,
): { readonly address: string; readonly port: number; readonly token: string | null } | null {
  if (!config) return null;
  const { address = "127.0.0.1", port, password } = config;
  if (password !== undefined && password.length < MIN_TOKEN) {
    const path = "/statusPage";
    throw new EdgeError("CONFIG_INVALID", `${path} needs a password of at least ${MIN_TOKEN} characters`, {
      details: { path },
    });
  }
  if (password === undefined && !isLoopbackAddress(address))
    throw new EdgeError("STATUS_PAGE_OPEN", `/statusPage would be open to everybody on ${address}`);
  return { address, port, token: password ?? null };
}
