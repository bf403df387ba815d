// A centre for tests: a real MQTT endpoint (aedes) and the claim route, which write down what arrives.
import {
  type AccessUnit,
  AccessUnitAssembler,
  type AgentStatus,
  type EdgeEvent,
  type MediaDemand,
  type StreamProfile,
  demandTopic,
  mediaClientId,
  parseTopic,
} from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { Aedes } from "aedes";
import { type Server as HttpServer, createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

export const AGENT_ID = "agent-1";
export const SECRET = "s3cret-of-the-agent";
export const CLAIM_CODE = "claim-code-0123456789";

export interface ReceivedEvent {
  readonly boot: string;
  readonly event: EdgeEvent;
}

/** What a stand-in centre saw. `acknowledges` false withholds PUBACK, as a centre without its database does. */
export class TestCentre {
  readonly events: ReceivedEvent[] = [];
  readonly statuses: AgentStatus[] = [];
  readonly units = new Map<string, AccessUnit[]>();
  readonly claims: unknown[] = [];
  acknowledges = true;
  refusesAgents = false;
  readonly #sockets = new Set<Socket>();
  #broker: Aedes | null = null;
  #mqtt: Server | null = null;
  #http: HttpServer | null = null;
  #mqttPort = 0;
  #assemblers = new Map<string, AccessUnitAssembler>();

  static async start(): Promise<TestCentre> {
    const centre = new TestCentre();
    await centre.startMqtt();
    await centre.#startHttp();
    return centre;
  }

  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.#mqttPort}`;
  }

  get serverUrl(): string {
    return `http://127.0.0.1:${(this.#http?.address() as AddressInfo | undefined)?.port}`;
  }

  /** Starts the MQTT endpoint, on the same port as before. */
  async startMqtt(): Promise<void> {
    const broker = await Aedes.createBroker({
      authenticate: (_client, username, password, done) => {
        const isAccount = username === AGENT_ID || username === mediaClientId(AGENT_ID);
        const isKnown = isAccount && password?.toString() === SECRET && !this.refusesAgents;
        if (isKnown) done(null, true);
        else done(Object.assign(new Error("refused"), { returnCode: 4 }), null);
      },
      authorizePublish: (_client, packet, done) => {
        if (!this.acknowledges && packet.qos > 0) return;
        this.#receive(packet.topic, Buffer.from(packet.payload));
        done(null);
      },
    });
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      broker.handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.#mqttPort, "127.0.0.1", resolve));
    this.#broker = broker;
    this.#mqtt = server;
    this.#mqttPort = (server.address() as AddressInfo).port;
  }

  /** Takes the MQTT endpoint away, as a kill would. */
  async stopMqtt(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#mqtt?.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await new Promise<void>((done) => this.#broker?.close(() => done()));
  }

  async stop(): Promise<void> {
    await this.stopMqtt();
    await new Promise<void>((resolve) => this.#http?.close(() => resolve()));
  }

  demand(cameraId: string, profiles: readonly StreamProfile[], leaseMs = 30_000): void {
    const demand: MediaDemand = {
      v: 1,
      issuedAtMs: Date.now(),
      streams: profiles.map((profile) => ({ profile, leaseMs })),
    };
    this.#broker?.publish(
      {
        cmd: "publish",
        topic: demandTopic(AGENT_ID, cameraId),
        payload: JSON.stringify(demand),
        qos: 1,
        retain: true,
        dup: false,
      },
      () => undefined,
    );
  }

  eventsOf<T extends EdgeEvent["type"]>(type: T): Extract<EdgeEvent, { type: T }>[] {
    return this.events
      .map(({ event }) => event)
      .filter((event): event is Extract<EdgeEvent, { type: T }> => event.type === type);
  }

  unitsOf(cameraId: string, profile: StreamProfile): AccessUnit[] {
    return this.units.get(`${cameraId}/${profile}`) ?? [];
  }

  async #startHttp(): Promise<void> {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (request.method === "GET") {
          response.setHeader("content-type", "application/json").end("{}");
          return;
        }
        const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { code?: string };
        this.claims.push(body);
        const isGood = request.url === "/api/v1/agents/claim" && body.code === CLAIM_CODE;
        response.writeHead(isGood ? 201 : 400, { "content-type": "application/json" });
        const identity = { agentId: AGENT_ID, secret: SECRET, mqttUrl: this.mqttUrl };
        response.end(JSON.stringify(isGood ? identity : { error: { code: "CLAIM_INVALID" } }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#http = server;
  }

  #receive(topic: string, payload: Buffer): void {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "status") this.statuses.push(JSON.parse(payload.toString()) as AgentStatus);
    if (parsed?.kind === "events") {
      const batch = JSON.parse(payload.toString()) as { boot: string; events: EdgeEvent[] };
      this.events.push(...batch.events.map((event) => ({ boot: batch.boot, event })));
    }
    if (parsed?.kind === "media") {
      const key = `${parsed.cameraId}/${parsed.stream}`;
      const assembler = this.#assemblers.get(key) ?? new AccessUnitAssembler();
      this.#assemblers.set(key, assembler);
      const unit = assembler.push(payload);
      if (unit) this.units.set(key, [...(this.units.get(key) ?? []), unit]);
    }
  }
}

/** Waits until the check gives something; the test's own timeout ends it. */
export async function until<T>(
  what: string,
  check: () => T | null | undefined | false,
  timeoutMs = 20_000,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const value = check();
    if (value) return value;
    if (signal.aborted) throw new Error(`waited in vain: ${what}`);
    await sleep(25);
  }
}
