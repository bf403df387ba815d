// A centre (real PostgreSQL, ingest's own endpoint, the real api) and real agents in one process, with all that they log.
import { startApi } from "@huishi/api";
import { startEdgeAgent, type EdgeAgent, type EdgeAgentOptions } from "@huishi/edge-agent";
import { startIngest } from "@huishi/ingest";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { testDatabase, type TestDatabase, until } from "@huishi/testkit";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Answer {
  readonly status: number;
  // Tests read answers as they come; each checks what it needs.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

const ADMINISTRATOR = { userName: "admin", password: "correct horse" };
const SETUP_TOKEN = "set-up-token-of-this-test";

export class ControlScene {
  readonly database: TestDatabase;
  readonly folder: string;
  /** Everything that the centre and the agents log, debug lines included. */
  readonly logLines: string[] = [];
  readonly #closers: (() => Promise<unknown>)[] = [];
  #agents: EdgeAgent[] = [];
  #cookie = "";
  mqttUrl = "";
  apiUrl = "";

  private constructor(database: TestDatabase, folder: string) {
    this.database = database;
    this.folder = folder;
  }

  static async start(): Promise<ControlScene> {
    const scene = new ControlScene(await testDatabase(), await mkdtemp(join(tmpdir(), "huishi-control-")));
    const mediaBus = new InProcessMediaBus({ lingerMs: 50 });
    const { databaseUrl } = scene.database;
    const logger = scene.logger("centre");
    const ingest = await startIngest({
      clipsDir: join(scene.folder, "clips"),
      databaseUrl,
      host: "127.0.0.1",
      port: 0,
      mediaBus,
      logger,
    });
    scene.mqttUrl = `mqtt://127.0.0.1:${ingest.port}`;
    const api = await startApi({
      databaseUrl,
      mediaBus,
      logger,
      host: "127.0.0.1",
      port: 0,
      dashboardDir: scene.folder,
      mqttUrl: scene.mqttUrl,
      version: "0.0.0-test",
      attemptsPerMinute: 1_000,
      clipsDir: join(scene.folder, "clips"),
    });
    scene.apiUrl = api.url;
    scene.#closers.push(
      () => api.close(),
      () => ingest.close(),
    );
    await scene.#setUp();
    return scene;
  }

  logger(name: string): ReturnType<typeof createLogger> {
    const destination = { write: (line: string) => void this.logLines.push(line) };
    return createLogger({ name, level: "debug", destination });
  }

  /** Claims an agent and waits until the centre calls it online. */
  async agent(more: Partial<EdgeAgentOptions> = {}): Promise<EdgeAgent> {
    const { body } = await this.request("POST", "/api/v1/agents/claim-codes");
    const agent = await this.startAgent({ claimCode: body.code, ...more });
    await this.untilOnline(agent.agentId);
    return agent;
  }

  async startAgent(more: Partial<EdgeAgentOptions> = {}): Promise<EdgeAgent> {
    const agent = await startEdgeAgent({
      stateDir: join(this.folder, "agent"),
      serverUrl: this.apiUrl,
      name: "Gate",
      cameras: [],
      discovery: { enabled: false },
      logger: this.logger("agent"),
      ...more,
    });
    this.#agents.push(agent);
    return agent;
  }

  async stopAgent(agent: EdgeAgent): Promise<void> {
    this.#agents = this.#agents.filter((each) => each !== agent);
    await agent.close();
  }

  async untilOnline(agentId: string, online = true): Promise<void> {
    await until(`the agent is ${online ? "on" : "off"}line`, async () => {
      const [row] = await this.rows<{ online: boolean }>("SELECT online FROM agent WHERE id = $1", agentId);
      return row?.online === online;
    });
  }

  async rows<T extends object>(sql: string, ...values: unknown[]): Promise<T[]> {
    return (await this.database.pool.query<T>(sql, values)).rows;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.apiUrl}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.#cookie === "" ? {} : { cookie: this.#cookie }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    this.#cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? this.#cookie;
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  /** A body that is no JSON. */
  async download(path: string): Promise<Buffer> {
    const response = await fetch(`${this.apiUrl}${path}`, { headers: { cookie: this.#cookie } });
    if (response.status !== 200)
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.close()));
    for (const close of this.#closers) await close();
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #setUp(): Promise<void> {
    const tokenHash = createHash("sha256").update(SETUP_TOKEN).digest();
    await this.database.pool.query("INSERT INTO setup_token (token_hash) VALUES ($1)", [tokenHash]);
    const answer = await this.request("POST", "/api/v1/setup", { token: SETUP_TOKEN, ...ADMINISTRATOR });
    if (answer.status !== 200) throw new Error(`set-up answered ${answer.status}`);
  }
}
