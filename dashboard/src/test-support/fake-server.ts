/**
 * A small server that speaks the real contracts over HTTP and WebSocket and plays a real H.264 stream, so that
 * the built page can be run in a browser without the rest of the system. Strict Content-Security-Policy, as the
 * API's. Tests only.
 */
import {
  type Alarm,
  type Camera,
  type Change,
  type Rule,
  type SensorState,
  type Series,
  SOCKET_PATH,
  type Zone,
} from "@huishi/contracts";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import type { Clip } from "./clip.ts";
import { FakeRehearsals } from "./fake-rehearsals.ts";
import { FakeSockets } from "./fake-sockets.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const SETUP_TOKEN = "token-for-the-first-administrator";
const COOKIE = "huishi_session=fake";

/** What a fault answers with. */
interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly details?: Record<string, unknown>;
}

export class FakeServer {
  readonly setupToken = SETUP_TOKEN;
  cameras: Camera[] = [];
  zones: Zone[] = [];
  rules: Rule[] = [];
  alarms: Alarm[] = [];
  needsSetup = false;
  /** The server's clock minus the real one. */
  clockSkewMs = 0;
  /** The next change of a zone or a rule is refused with this. */
  refuseNext: Refusal | null = null;
  sensors: SensorState[] = [];
  readonly rehearsals = new FakeRehearsals();
  readonly sockets: FakeSockets;
  readonly #dist: string;
  readonly #clip: Clip;
  readonly #http: Server;
  #isSignedIn = false;

  constructor(dist: string, clip: Clip) {
    this.#dist = dist;
    this.#clip = clip;
    this.sockets = new FakeSockets(clip, () => this.nowMs());
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch((thrown: unknown) => {
        response
          .writeHead(500, { "content-type": "application/json" })
          .end(JSON.stringify({ code: "INTERNAL", message: String(thrown) }));
      });
    });
    this.#http.on("upgrade", (request, socket, head) => {
      if (request.url === SOCKET_PATH && this.#isSignedIn && !this.sockets.refuses)
        this.sockets.upgrade(request, socket, head);
      else socket.end("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    });
  }

  nowMs(): number {
    return Date.now() + this.clockSkewMs;
  }

  /** Resolves with the address of the page. */
  async start(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${String((this.#http.address() as AddressInfo).port)}/`;
  }

  async stop(): Promise<void> {
    this.sockets.close();
    this.#http.closeAllConnections();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  signInAll(): void {
    this.#isSignedIn = true;
  }

  /** Commits changes: keeps them and tells every page. */
  change(...changes: Change[]): void {
    for (const change of changes) {
      if (change.kind === "alarm") this.alarms = put(this.alarms, change.alarm);
      else if (change.kind === "camera") this.cameras = put(this.cameras, change.camera);
      else if (change.kind === "zone") this.zones = put(this.zones, change.zone);
      else if (change.kind === "rule") this.rules = put(this.rules, change.rule);
      else if (change.what === "zone") this.zones = this.zones.filter((zone) => zone.id !== change.id);
      else if (change.what === "rule") this.rules = this.rules.filter((rule) => rule.id !== change.id);
    }
    this.sockets.change(changes);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    if (!url.pathname.startsWith("/api/")) {
      await this.#file(url.pathname, response);
      return;
    }
    const rehearsal = /^\/api\/v1\/(rehearsals.*)$/.exec(url.pathname)?.[1];
    if (rehearsal !== undefined && this.#isSignedIn && !this.refuseNext) {
      const { status, value } = await this.rehearsals.answer(request, rehearsal.split("/"));
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      return;
    }
    const body = request.method === "GET" ? {} : ((await readJson(request)) as Record<string, unknown>);
    const path = url.pathname.slice("/api/v1/".length).split("/").map(decodeURIComponent);
    if (path[0] === "alarms" && path[2] === "snapshot") {
      response.writeHead(200, { "content-type": "image/jpeg" }).end(this.#clip.jpeg);
      return;
    }
    const result = this.#api(request.method ?? "GET", path, { body, query: url.searchParams });
    const isRefusal = "refused" in result;
    const status = isRefusal ? result.refused.status : result.value === undefined ? 204 : 200;
    const payload = isRefusal
      ? {
          code: result.refused.code,
          message: "refused by the fake server",
          details: result.refused.details ?? {},
        }
      : result.value;
    response.writeHead(status, {
      "content-type": "application/json",
      ...(path[0] === "setup" || path[0] === "sign-in"
        ? { "set-cookie": `${COOKIE}; HttpOnly; SameSite=Strict` }
        : {}),
    });
    response.end(status === 204 ? undefined : JSON.stringify(payload));
  }

  #api(
    method: string,
    path: string[],
    { body, query }: { body: Record<string, unknown>; query: URLSearchParams },
  ): { value?: unknown } | { refused: Refusal } {
    const [what, id = "", part] = path;
    const session = {
      userId: "u1",
      userName: "zhang.wei",
      role: "administrator",
      expiresAtMs: this.nowMs() + 8 * 3_600_000,
    };
    if (what === "server") {
      return {
        value: {
          name: "Huishi",
          version: "0.1.0",
          needsSetup: this.needsSetup,
          serverTimeMs: Math.round(this.nowMs()),
        },
      };
    }
    if (what === "setup") {
      if (body["token"] !== SETUP_TOKEN) return { refused: { status: 403, code: "SETUP_TOKEN_INVALID" } };
      this.needsSetup = false;
      this.#isSignedIn = true;
      return { value: session };
    }
    if (what === "sign-in") {
      if (body["password"] !== "correct horse battery")
        return { refused: { status: 401, code: "SIGN_IN_FAILED" } };
      this.#isSignedIn = true;
      return { value: session };
    }
    if (!this.#isSignedIn) return { refused: { status: 401, code: "NOT_SIGNED_IN" } };
    if (what === "sign-out") {
      this.#isSignedIn = false;
      return {};
    }
    if (what === "session") return { value: session };
    if (method !== "GET" && this.refuseNext) {
      const refused = this.refuseNext;
      this.refuseNext = null;
      return { refused };
    }
    if (what === "cameras" && !part) return { value: { cameras: this.cameras } };
    if (what === "sensors" && path.at(-1) === "series") return { value: fakeSeries(query) };
    if (what === "sensors") return { value: { atMs: this.nowMs(), sensors: this.sensors, next: null } };
    if (what === "alarms") return this.#alarm(method, { id, part, query });
    return this.#zonesAndRules(method, path, body);
  }

  #alarm(
    method: string,
    { id, part, query }: { id: string; part: string | undefined; query: URLSearchParams },
  ): { value?: unknown } | { refused: Refusal } {
    if (method === "GET") {
      const before = query.get("before");
      const limit = Number(query.get("limit") ?? 100);
      const found = this.alarms
        .filter((alarm) => !query.get("state") || alarm.state === query.get("state"))
        .filter((alarm) => before === null || Number(alarm.id) < Number(before))
        .sort((a, b) => Number(b.id) - Number(a.id));
      const alarms = found.slice(0, limit);
      return { value: { alarms, next: found.length > limit ? (alarms.at(-1)?.id ?? null) : null } };
    }
    const alarm = this.alarms.find((each) => each.id === id);
    if (!alarm) return { refused: { status: 404, code: "ALARM_NOT_FOUND" } };
    const moved: Alarm = {
      ...alarm,
      state: part === "acknowledge" ? "acknowledged" : "falseAlarm",
      acknowledgedBy: "zhang.wei",
      acknowledgedAtMs: Math.round(this.nowMs()),
      version: alarm.version + 1,
    };
    this.change({ kind: "alarm", alarm: moved });
    return { value: moved };
  }

  #zonesAndRules(
    method: string,
    [what, id = "", part]: string[],
    body: Record<string, unknown>,
  ): { value?: unknown } | { refused: Refusal } {
    const kind = part ?? what;
    if (method === "GET") {
      return kind === "zones"
        ? { value: { zones: this.zones.filter((zone) => zone.cameraId === id) } }
        : { value: { rules: this.rules.filter((rule) => rule.cameraId === id) } };
    }
    if (method === "DELETE") {
      this.change({ kind: "deleted", what: kind === "zones" ? "zone" : "rule", id });
      return {};
    }
    const isNew = method === "POST";
    const known = [...this.zones, ...this.rules].find((each) => each.id === id);
    const element = {
      ...(isNew ? { id: `${String(kind)}-${randomUUID().slice(0, 8)}`, cameraId: id } : known),
      ...body,
      version: (known?.version ?? 0) + 1,
    };
    if (kind === "zones") this.change({ kind: "zone", zone: element as Zone });
    else this.change({ kind: "rule", rule: element as Rule });
    return { value: element };
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const name = normalize(path === "/" ? "index.html" : path.slice(1));
    const content = name.startsWith("..") ? null : await readFile(join(this.#dist, name)).catch(() => null);
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(name)] ?? "application/octet-stream",
      "content-security-policy": CSP,
    });
    response.end(content);
  }
}

function put<T extends { readonly id: string }>(list: readonly T[], element: T): T[] {
  return [...list.filter((each) => each.id !== element.id), element];
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text === "" ? {} : JSON.parse(text);
}

/** A value that rises through the range asked for. */
function fakeSeries(query: URLSearchParams): Series {
  const [fromMs, toMs] = [Number(query.get("fromMs")), Number(query.get("toMs"))];
  const points = Array.from({ length: 60 }, (_, i) => {
    const value = i < 45 ? 1 + (i % 3) : 60;
    return { atMs: fromMs + i * 60_000, mean: value, min: value, max: value, n: 1 };
  });
  return {
    fromMs,
    toMs,
    sensorId: "cover",
    no: 1,
    observedProperty: "tilt",
    unit: "deg",
    bucketMs: 60_000,
    points,
    gaps: [],
  };
}
