// The agent's own page for the installer: what it knows of itself, to be read and nothing else.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import { hostname } from "node:os";
import type { AgentState } from "../../application/agent-state.ts";
import { EdgeError } from "../../domain/faults.ts";
import { isSameSecret } from "../crypto/same-secret.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";

const MAX_CONNECTIONS = 32;
const REQUEST_TIMEOUT_MS = 10_000;
/** One look at the agent serves everybody who asks within this time. */
const FRESH_MS = 500;

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

export interface StatusPageOptions {
  readonly address: string;
  readonly port: number;
  /** None: anybody who reaches the address, which then is a loopback one. */
  readonly token: string | null;
  state(): Promise<AgentState>;
  /** Prometheus text. */
  metrics(): Promise<string>;
  readonly onListening?: (port: number) => void;
}

type Answer = readonly [status: number, type: string, body: string | Buffer];
const refusal = (status: number, code: string, message: string): Answer => [
  status,
  "application/json",
  JSON.stringify({ error: { code, message } }),
];

/** Serves `/`, `/status.json` and `/metrics`, by GET and HEAD alone. */
export class StatusPage {
  readonly #options: StatusPageOptions;
  #files: ReadonlyMap<string, PageFile> = new Map();
  #fresh: { readonly untilMs: number; readonly state: Promise<AgentState> } | null = null;

  constructor(options: StatusPageOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts. @throws EdgeError STATUS_PAGE_FAILED */
  async run(signal: AbortSignal): Promise<void> {
    this.#files = await readPageFiles();
    const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
    const server = createServer({ ...limits, maxHeaderSize: 8 * 1024 }, (request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.keepAliveTimeout = REQUEST_TIMEOUT_MS;
    try {
      await this.#listen(server, signal);
      this.#options.onListening?.((server.address() as AddressInfo).port);
      throw await once(server, "error", { signal }).then(([error]) => error as Error);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    }
  }

  async #listen(server: Server, signal: AbortSignal): Promise<void> {
    const { address, port } = this.#options;
    server.listen(port, address);
    try {
      await once(server, "listening", { signal });
    } catch (cause) {
      throw new EdgeError("STATUS_PAGE_FAILED", `the status page cannot listen on ${address}:${port}`, {
        cause,
      });
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, type, body] = await this.#answer(request);
    if (response.destroyed) return;
    response.writeHead(status, {
      ...HEADERS,
      "content-type": type,
      "content-length": Buffer.byteLength(body),
      ...(status === 401 ? { "www-authenticate": 'Basic realm="huishi-edge", charset="UTF-8"' } : {}),
      // What was not read is not read on.
      ...(request.complete ? {} : { connection: "close" }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (!isOwnHost(request.headers.host, this.#options.address))
      return refusal(421, "HOST_REFUSED", "Reach this page by the machine's address or its own name.");
    if (!this.#isGenuine(request.headers.authorization))
      return refusal(401, "TOKEN_REFUSED", "Give the status page's token as the password.");
    if (request.method !== "GET" && request.method !== "HEAD")
      return refusal(405, "METHOD_REFUSED", "This page can only be read.");
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    if (path === "/status.json") return [200, "application/json", JSON.stringify(await this.#state())];
    if (path === "/metrics") return [200, "text/plain; version=0.0.4", await this.#options.metrics()];
    const file = this.#files.get(path);
    return file ? [200, file.type, file.body] : refusal(404, "ROUTE_NOT_FOUND", "There is no such page.");
  }

  #state(): Promise<AgentState> {
    const nowMs = performance.now();
    if (this.#fresh === null || nowMs >= this.#fresh.untilMs)
      this.#fresh = { untilMs: nowMs + FRESH_MS, state: this.#options.state() };
    return this.#fresh.state;
  }

  /** `Bearer <token>`, or what a browser sends when it asked for a password. */
  #isGenuine(authorization: string | undefined): boolean {
    const { token } = this.#options;
    if (token === null) return true;
    const [, scheme, given = ""] = /^(Bearer|Basic) (.{1,1024})$/i.exec(authorization ?? "") ?? [];
    if (scheme?.toLowerCase() !== "basic") return isSameSecret(given, token);
    const account = Buffer.from(given, "base64").toString("utf8");
    return isSameSecret(account.slice(account.indexOf(":") + 1), token);
  }
}

/**
 * A foreign name that was made to point here (DNS rebinding) is no name of ours: addresses, `localhost`, what is
 * configured and what the machine is called are.
 */
export function isOwnHost(host: string | undefined, address: string): boolean {
  const name = (host ?? "").replace(/:\d{1,5}$/, "").toLowerCase();
  if (isIP(name.replace(/^\[|\]$/g, "")) !== 0) return true;
  const own = hostname().toLowerCase();
  return name !== "" && ["localhost", address.toLowerCase(), own, `${own}.local`].includes(name);
}
