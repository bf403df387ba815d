/** The HTTP side of a simulated camera: ONVIF's SOAP services and the snapshot. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { type Credentials, type DigestAuthenticator, REALM } from "../http/digest-auth.ts";
import { listen } from "../listen.ts";
import type { DeviceContext, OperationTable } from "./device-context.ts";
import { PRE_AUTH_OPERATIONS, deviceOperations } from "./device-service.ts";
import { eventOperations } from "./event-service.ts";
import { media2Operations, mediaOperations } from "./media-service.ts";
import { ptzOperations } from "./ptz-service.ts";
import { SnapshotMaker } from "./snapshot.ts";
import {
  NAMESPACES,
  SoapFault,
  type SoapRequest,
  checkUsernameToken,
  faultEnvelope,
  notAuthorized,
  notSupported,
  parseSoap,
  soapEnvelope,
} from "./soap.ts";
import { XmlError, escapeXml } from "./xml.ts";

const MAX_BODY_BYTES = 256 * 1024;
const MAX_CONNECTIONS = 64;

/** Which operations belong to which namespace. */
const OPERATIONS: ReadonlyMap<string, OperationTable> = new Map([
  [NAMESPACES.device, deviceOperations],
  [NAMESPACES.media, mediaOperations],
  [NAMESPACES.media2, media2Operations],
  [NAMESPACES.events, eventOperations],
  [NAMESPACES.notification, eventOperations],
  [NAMESPACES.ptz, ptzOperations],
] as ReadonlyArray<readonly [string, OperationTable]>);

export interface OnvifServerOptions {
  readonly host: string;
  readonly port: number;
  readonly context: DeviceContext;
  /** Both or neither. */
  readonly credentials: Credentials | undefined;
  readonly authenticator: DigestAuthenticator | undefined;
}

class TooLarge extends Error {}

export class OnvifServer {
  readonly #options: OnvifServerOptions;
  readonly #server: Server;
  readonly #snapshots: ReadonlyMap<string, SnapshotMaker>;
  #port = 0;
  #failedSignIns = 0;
  #refusesAll = false;

  constructor(options: OnvifServerOptions) {
    this.#options = options;
    this.#snapshots = new Map(
      [options.context.main, options.context.sub].map((stream) => [
        `/snapshot/${stream.name}.jpg`,
        new SnapshotMaker(stream),
      ]),
    );
    this.#server = createServer(
      { requestTimeout: 15_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
      (request, response) => {
        void this.#answer(request, response).catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE */
  async start(): Promise<void> {
    this.#port = await listen(this.#server, this.#options.host, this.#options.port, "ONVIF server");
  }

  get port(): number {
    return this.#port;
  }

  get failedSignIns(): number {
    return this.#failedSignIns;
  }

  refuseAuth(on: boolean): void {
    this.#refusesAll = on;
  }

  async stop(): Promise<void> {
    this.#options.context.events.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "/").split("?")[0] as string;
    if (path.startsWith("/onvif/")) {
      if (request.method !== "POST") return send(response, 405, "text/plain", "POST only", { Allow: "POST" });
      return await this.#answerSoap(request, response, path);
    }
    const snapshot = this.#snapshots.get(path);
    if (!snapshot) return send(response, 404, "text/plain", "not found");
    if (request.method !== "GET") return send(response, 405, "text/plain", "GET only", { Allow: "GET" });
    return await this.#answerSnapshot(request, response, snapshot);
  }

  async #answerSnapshot(
    request: IncomingMessage,
    response: ServerResponse,
    snapshot: SnapshotMaker,
  ): Promise<void> {
    const { authenticator } = this.#options;
    const header = request.headers.authorization;
    const result = !authenticator
      ? "accepted"
      : this.#refusesAll && header
        ? "wrong"
        : authenticator.check(header, "GET", true);
    if (authenticator && result !== "accepted") {
      if (result === "wrong") this.#failedSignIns += 1;
      return send(response, 401, "text/plain", "sign in", {
        "WWW-Authenticate": [authenticator.challenge(result === "stale"), `Basic realm="${REALM}"`],
      });
    }
    const jpeg = await snapshot.take();
    if (!jpeg) return send(response, 503, "text/plain", "no picture yet", { "Retry-After": "1" });
    send(response, 200, "image/jpeg", jpeg, { "Cache-Control": "no-store" });
  }

  async #answerSoap(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const sendFault = (fault: SoapFault, headers: Record<string, string> = {}): void =>
      send(response, fault.status, "application/soap+xml; charset=utf-8", faultEnvelope(fault), headers);
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const soap = parseSoap(await readBody(request));
      const refusal = this.#authenticate(soap, request);
      if (refusal) return sendFault(refusal.fault, refusal.headers);
      const handler = lookUp(soap);
      if (!handler) throw notSupported();
      const base = `http://${hostOf(request.socket.localAddress)}:${this.#port}`;
      const body = await handler({
        context: this.#options.context,
        request: soap.operation,
        base,
        path,
        signal: gone.signal,
      });
      send(response, 200, "application/soap+xml; charset=utf-8", soapEnvelope(body, relatesTo(soap)));
    } catch (error) {
      if (error instanceof SoapFault) sendFault(error);
      else if (error instanceof XmlError)
        sendFault(new SoapFault(`The request cannot be read: ${error.message}`, ["ter:WellFormed"]));
      else if (error instanceof TooLarge)
        send(response, 413, "text/plain", "the request is too large", { Connection: "close" });
      else throw error;
    }
  }

  #authenticate(
    soap: SoapRequest,
    request: IncomingMessage,
  ): { fault: SoapFault; headers: Record<string, string> } | undefined {
    const { credentials, authenticator, context } = this.#options;
    if (!credentials || !authenticator) return undefined;
    const isOpen =
      soap.operation.namespace === NAMESPACES.device && PRE_AUTH_OPERATIONS.has(soap.operation.name);
    if (isOpen) return undefined;
    const token = checkUsernameToken(soap.header, credentials, context.nowMs());
    const result = token === "missing" ? authenticator.check(request.headers.authorization, "POST") : token;
    if (result === "accepted" && !this.#refusesAll) return undefined;
    if (result === "wrong" || result === "accepted") this.#failedSignIns += 1;
    // Core §5.9.1: 401 asks for HTTP digest; a refused username token is a fault with status 400.
    if (token !== "missing") return { fault: notAuthorized(), headers: {} };
    const fault = new SoapFault("Sender not authorized", ["ter:NotAuthorized"], 401);
    return { fault, headers: { "WWW-Authenticate": authenticator.challenge(result === "stale") } };
  }
}

function lookUp({ operation }: SoapRequest): OperationTable[string] | undefined {
  const table = OPERATIONS.get(operation.namespace);
  return table && Object.hasOwn(table, operation.name) ? table[operation.name] : undefined;
}

function relatesTo(soap: SoapRequest): string {
  return soap.messageId === undefined ? "" : `<wsa:RelatesTo>${escapeXml(soap.messageId)}</wsa:RelatesTo>`;
}

function hostOf(address: string | undefined): string {
  const plain = (address ?? "127.0.0.1").replace(/^::ffff:/, "").replace(/%.*$/, "");
  return plain.includes(":") ? `[${plain}]` : plain;
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: Record<string, string | string[]> = {},
): void {
  if (response.destroyed) return;
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** The body as text; refused before it is buffered beyond the bound. */
async function readBody(request: IncomingMessage): Promise<string> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw new TooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES) throw new TooLarge();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
