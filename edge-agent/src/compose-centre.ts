// How the agent knows its centre: address, authority, identity and secret.
import { isClaimText, parseClaimText } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { randomBytes, randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  announceSecret,
  type CentrePlace,
  claimAgent,
  fetchAuthority,
} from "./adapters/http/centre-client.ts";
import { type AgentKeys, openAgentKeys } from "./adapters/state-files/agent-keys-file.ts";
import { IdentityFile } from "./adapters/state-files/identity-file.ts";
import { AgentSecret } from "./application/agent-secret.ts";
import { type Identity, obtainIdentity } from "./application/claim-identity.ts";
import type { Log } from "./application/ports.ts";
import type { EdgeAgentConfig } from "./config.ts";
import { EdgeError } from "./domain/faults.ts";

export interface ComposedCentre {
  readonly identity: Identity;
  readonly keys: AgentKeys;
  readonly secret: AgentSecret;
  /** PEM, for `mqtts:`. */
  readonly ca: string | undefined;
}

/** @throws EdgeError CLAIM_MISSING, CLAIM_REFUSED, SERVER_PIN_MISMATCH, SERVER_PLAIN_REFUSED, CONFIG_INVALID, STATE_DIR */
export async function composeCentre(
  options: EdgeAgentConfig & { readonly log: Log; readonly signal: AbortSignal },
): Promise<ComposedCentre> {
  const { stateDir, log, signal, claimCode } = options;
  const text = claimTextOf(options);
  const serverUrl = serverUrlOf(options);
  const keys = await openAgentKeys(stateDir);
  const configuredCa = await readAuthority(options.mqttCaFile);
  const pinned = join(stateDir, "ca.pem");
  const place = async (): Promise<CentrePlace> => {
    if (configuredCa !== undefined || !text) {
      const ca = configuredCa ?? (await readFile(pinned, "utf8").catch(() => undefined));
      return { serverUrl, ca };
    }
    const ca = await fetchAuthority(serverUrl, text.fingerprint, signal);
    await writeFile(`${pinned}.part`, ca, { mode: 0o600 });
    await rename(`${pinned}.part`, pinned);
    return { serverUrl, ca };
  };
  const store = new IdentityFile(stateDir);
  const name = options.name ?? (hostname() || randomUUID());
  const code = text?.code ?? claimCode;
  const claim = async (s: AbortSignal): Promise<Identity> => {
    requirePrivate(serverUrl, options.allowPlain ?? false);
    return claimAgent({ ...(await place()), code: code ?? "", name, keys }, s);
  };
  const identity = await obtainIdentity({ store, claim: code === undefined ? null : claim, log, signal });
  const ca = await authorityOf(options);
  const secret = new AgentSecret({
    identity,
    store,
    log,
    newSecret: () => randomBytes(32).toString("base64url"),
    announce: (next, s) =>
      announceSecret(
        { serverUrl, ca, agentId: identity.agentId, secret: next, keys },
        systemClock.nowMs(),
        s,
      ),
  });
  return { identity, keys, secret, ca };
}

/** Where the centre is: a claim text names it better than `serverUrl` does. */
export function serverUrlOf(config: Pick<EdgeAgentConfig, "serverUrl" | "claimCode">): string {
  const text = claimTextOf(config);
  return text ? `https://${text.host}` : config.serverUrl;
}

/** The configured authority, else the one that was pinned when the agent was claimed. @throws EdgeError CONFIG_INVALID */
export async function authorityOf(
  config: Pick<EdgeAgentConfig, "mqttCaFile" | "stateDir">,
): Promise<string | undefined> {
  const configured = await readAuthority(config.mqttCaFile);
  return configured ?? readFile(join(config.stateDir, "ca.pem"), "utf8").catch(() => undefined);
}

function claimTextOf({ claimCode }: Pick<EdgeAgentConfig, "claimCode">) {
  return claimCode !== undefined && isClaimText(claimCode) ? parseClaimText(claimCode) : null;
}

async function readAuthority(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const pem = await readFile(file, "utf8").catch(() => "");
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw new EdgeError("CONFIG_INVALID", `/mqttCaFile ${file} is no readable PEM certificate`);
}

/** Without TLS the secret crosses the network once, in clear: on this machine alone, unless somebody decided so. */
function requirePrivate(serverUrl: string, allowPlain: boolean): void {
  const { protocol, hostname: host } = new URL(serverUrl);
  const isLoopback =
    host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
  if (protocol === "https:" || isLoopback || allowPlain) return;
  throw new EdgeError("SERVER_PLAIN_REFUSED", `${host} is not this machine and speaks no TLS`);
}
