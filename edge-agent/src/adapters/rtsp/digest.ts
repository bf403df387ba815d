import { createHash, randomBytes } from "node:crypto";

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A challenge of a WWW-Authenticate header. */
interface Challenge {
  readonly scheme: "digest" | "basic";
  readonly parameters: Readonly<Record<string, string>>;
}

function parseChallenge(header: string): Challenge | null {
  const scheme = /^\s*(digest|basic)\b/i.exec(header)?.[1]?.toLowerCase();
  if (scheme !== "digest" && scheme !== "basic") return null;
  const parameters: Record<string, string> = {};
  for (const match of header.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi)) {
    parameters[(match[1] as string).toLowerCase()] = match[2] ?? match[3] ?? "";
  }
  return { scheme, parameters };
}

const HASHES: Readonly<Record<string, string>> = { md5: "md5", "sha-256": "sha256" };

/**
 * The Authorization header that answers one of the challenges, the strongest we know (RFC 7616, RFC 2617 for
 * servers without qop); Basic only when nothing better is offered. Null when none can be answered.
 */
export function authorization(
  challenges: readonly string[],
  request: { readonly method: string; readonly uri: string },
  account: Account,
  { cnonce = randomBytes(8).toString("hex"), nonceCount = 1 }: { cnonce?: string; nonceCount?: number } = {},
): string | null {
  const parsed = challenges.flatMap((header) => parseChallenge(header) ?? []);
  const algorithmOf = (challenge: Challenge): string =>
    (challenge.parameters["algorithm"] ?? "MD5").toLowerCase();
  const digests = parsed.filter((c) => c.scheme === "digest" && HASHES[algorithmOf(c)] !== undefined);
  const best = digests.find((c) => algorithmOf(c) === "sha-256") ?? digests[0];
  if (best)
    return digestHeader(best.parameters, HASHES[algorithmOf(best)] as string, request, account, {
      cnonce,
      nc: nonceCount.toString(16).padStart(8, "0"),
    });
  if (!parsed.some((c) => c.scheme === "basic")) return null;
  return `Basic ${Buffer.from(`${account.username}:${account.password}`).toString("base64")}`;
}

function digestHeader(
  parameters: Readonly<Record<string, string>>,
  algorithm: string,
  request: { readonly method: string; readonly uri: string },
  { username, password }: Account,
  { cnonce, nc }: { readonly cnonce: string; readonly nc: string },
): string {
  const hash = (text: string): string => createHash(algorithm).update(text).digest("hex");
  const realm = parameters["realm"] ?? "";
  const nonce = parameters["nonce"] ?? "";
  const ha1 = hash(`${username}:${realm}:${password}`);
  const ha2 = hash(`${request.method}:${request.uri}`);
  const usesQop = (parameters["qop"] ?? "").split(",").some((qop) => qop.trim() === "auth");
  const response = usesQop
    ? hash(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`)
    : hash(`${ha1}:${nonce}:${ha2}`);
  const quote = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`;
  const fields = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(request.uri)}`,
    `response="${response}"`,
    ...(parameters["algorithm"] === undefined ? [] : [`algorithm=${parameters["algorithm"]}`]),
    ...(parameters["opaque"] === undefined ? [] : [`opaque=${quote(parameters["opaque"])}`]),
    ...(usesQop ? ["qop=auth", `nc=${nc}`, `cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${fields.join(", ")}`;
}
