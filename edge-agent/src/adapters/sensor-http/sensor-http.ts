import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  MAX_SENSOR_MESSAGE_BYTES,
  type MessageOutcome,
  type SensorInlet,
  type SensorSink,
} from "../../application/sensor-ports.ts";
import { isSameSecret } from "../crypto/same-secret.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { SensorPlan } from "../../domain/sensors/sensor-plan.ts";

const MAX_CONNECTIONS = 128;
const REQUEST_TIMEOUT_MS = 10_000;
const PATH = /^\/sensors\/([a-z0-9][a-z0-9-]{0,63})$/;

type Refusal =
  Exclude<MessageOutcome, "taken"> | "TOKEN_REFUSED" | "CONTENT_TYPE_REFUSED" | "ROUTE_NOT_FOUND";
const REFUSALS: Readonly<Record<Refusal, readonly [status: number, message: string]>> = {
  TOKEN_REFUSED: [401, "Send the agent's sensor token: Authorization: Bearer ..."],
  ROUTE_NOT_FOUND: [404, "Send POST /sensors/{id}."],
  SENSOR_NOT_FOUND: [404, "This agent watches no HTTP sensor of this id."],
  SENSOR_PAYLOAD_TOO_LARGE: [413, "Send at most 16 KiB."],
  CONTENT_TYPE_REFUSED: [415, "Send application/json."],
  SENSOR_PAYLOAD_INVALID: [
    422,
    "The body is no JSON, or holds no number where the sensor's mapping looks for one.",
  ],
  SENSOR_FLOODING: [429, "Send less often; this message was dropped."],
};

export interface SensorHttpOptions {
  readonly address: string;
  readonly port: number;
  /** None: anybody who reaches the address, which then is a loopback one. */
  readonly token: string | null;
  readonly sink: SensorSink;
  readonly onListening?: (port: number) => void;
}

/** The site's HTTP listener for sensors: POST /sensors/{id} with a JSON body, answered 202. */
export class SensorHttp implements SensorInlet {
  readonly kind = "http";
  readonly #options: SensorHttpOptions;
  #sensorIds: ReadonlySet<string> = new Set();

  constructor(options: SensorHttpOptions) {
    this.#options = options;
  }

  route(plans: readonly SensorPlan[]): void {
    this.#sensorIds = new Set(plans.map(({ sensor }) => sensor.id));
  }

  /** @throws EdgeError SENSOR_LISTENER_FAILED */
  async run(signal: AbortSignal): Promise<void> {
    const server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
      (req, res) => {
        void this.#answer(req, res).catch(() => res.destroy());
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.keepAliveTimeout = REQUEST_TIMEOUT_MS;
    try {
      await this.#listen(server, signal);
      this.#options.onListening?.((server.address() as AddressInfo).port);
      const failure = once(server, "error", { signal }).then(([error]) => error as Error);
      throw await failure;
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
      throw new EdgeError("SENSOR_LISTENER_FAILED", `HTTP for sensors cannot listen on ${address}:${port}`, {
        cause,
      });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const outcome = await this.#take(request);
    if (response.destroyed) return;
    const [status, body] =
      outcome === "taken" ? [202, { accepted: true }] : [REFUSALS[outcome][0], errorBody(outcome)];
    // What was not read is not read on: the connection ends with the answer.
    const rest = request.complete ? {} : { connection: "close" };
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...rest });
    response.end(JSON.stringify(body), () => request.complete || request.destroy());
  }

  async #take(request: IncomingMessage): Promise<"taken" | Refusal> {
    const sensorId = PATH.exec(request.url ?? "")?.[1];
    if (request.method !== "POST" || sensorId === undefined) return "ROUTE_NOT_FOUND";
    if (!this.#isGenuine(request.headers.authorization)) return "TOKEN_REFUSED";
    if (!this.#sensorIds.has(sensorId)) return "SENSOR_NOT_FOUND";
    // A page in a browser cannot send this type to a foreign address without asking first.
    if (!/^application\/(.+\+)?json\s*(;|$)/i.test(request.headers["content-type"] ?? "")) {
      return "CONTENT_TYPE_REFUSED";
    }
    const body = await readBody(request);
    return body === null ? "SENSOR_PAYLOAD_TOO_LARGE" : this.#options.sink.message(sensorId, body);
  }

  #isGenuine(authorization: string | undefined): boolean {
    const { token } = this.#options;
    if (token === null) return true;
    const given = /^Bearer (.{1,512})$/.exec(authorization ?? "")?.[1] ?? "";
    return isSameSecret(given, token);
  }
}

const errorBody = (code: Refusal): unknown => ({ error: { code, message: REFUSALS[code][1] } });

/** @returns null when it is too large, as soon as that is known */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_SENSOR_MESSAGE_BYTES) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The connection must live on for the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_SENSOR_MESSAGE_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
