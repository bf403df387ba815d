import { InProcessMediaBus, createLogger } from "@huishi/platform";
import { type TestDatabase, testDatabase } from "@huishi/testkit";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningApi, startApi } from "../compose.ts";
import { issueSetupToken } from "../first-keys.ts";

export interface Answer {
  readonly status: number;
  // Tests read answers as they come; each checks what it needs.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly headers: Headers;
}

export const ADMINISTRATOR = { userName: "admin", password: "correct horse" };

interface Surroundings {
  readonly database: TestDatabase;
  readonly mediaBus: InProcessMediaBus;
  readonly dashboardDir: string;
  readonly attemptsPerMinute: number;
  /** Everything that the api logs, debug lines included. */
  readonly logLines: string[];
}

/** An API on a real database of its own, and a browser's way to talk to it. */
export class ApiUnderTest {
  readonly database: TestDatabase;
  readonly mediaBus: InProcessMediaBus;
  readonly logLines: string[];
  readonly #surroundings: Surroundings;
  api: RunningApi;
  cookie = "";

  private constructor(surroundings: Surroundings, api: RunningApi) {
    this.#surroundings = surroundings;
    this.database = surroundings.database;
    this.mediaBus = surroundings.mediaBus;
    this.logLines = surroundings.logLines;
    this.api = api;
  }

  static async start(options: { attemptsPerMinute?: number } = {}): Promise<ApiUnderTest> {
    const surroundings: Surroundings = {
      database: await testDatabase(),
      mediaBus: new InProcessMediaBus({ lingerMs: 0 }),
      dashboardDir: await makeDashboard(),
      attemptsPerMinute: options.attemptsPerMinute ?? 1_000,
      logLines: [],
    };
    return new ApiUnderTest(surroundings, await startIn(surroundings));
  }

  /** The same database under a new process' eyes: memory is lost, rows are not. */
  async restart(): Promise<this> {
    await this.api.close();
    this.api = await startIn(this.#surroundings);
    return this;
  }

  async signIn(): Promise<void> {
    this.cookie = "";
    this.cookie = cookieOf(await this.post("/api/v1/sign-in", ADMINISTRATOR));
  }

  /** Creates the first administrator and keeps its session. */
  async setUp(): Promise<void> {
    const token = await issueSetupToken(this.database.databaseUrl);
    const answer = await this.post("/api/v1/setup", { token, ...ADMINISTRATOR });
    if (answer.status !== 200) throw new Error(`set-up answered ${answer.status}`);
    this.cookie = cookieOf(answer);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request("GET", path, { headers });
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.request("POST", path, { body, headers });
  }

  async request(
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.api.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.cookie === "" ? {} : { cookie: this.cookie }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      body: isJson && text !== "" ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.database.drop();
    await rm(this.#surroundings.dashboardDir, { recursive: true, force: true });
  }
}

async function makeDashboard(): Promise<string> {
  const dashboardDir = await mkdtemp(join(tmpdir(), "huishi-dashboard-"));
  await mkdir(join(dashboardDir, "assets"));
  await writeFile(join(dashboardDir, "index.html"), "<!doctype html><title>Huishi</title>");
  await writeFile(join(dashboardDir, "assets", "main-abc123.js"), "export {};");
  return dashboardDir;
}

function startIn(surroundings: Surroundings): Promise<RunningApi> {
  const { database, mediaBus, dashboardDir, attemptsPerMinute, logLines } = surroundings;
  const destination = { write: (line: string) => void logLines.push(line) };
  return startApi({
    databaseUrl: database.databaseUrl,
    mediaBus,
    logger: createLogger({ name: "api-test", level: "debug", destination }),
    host: "127.0.0.1",
    port: 0,
    dashboardDir,
    clipsDir: join(dashboardDir, "clips"),
    mqttUrl: "mqtt://127.0.0.1:1883",
    version: "0.0.0-test",
    attemptsPerMinute,
  });
}

/** The session cookie that an answer sets, as a browser would send it back. */
export function cookieOf(answer: Answer): string {
  return (answer.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
}
