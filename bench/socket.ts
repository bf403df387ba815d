/**
 * The socket under load: 200 clients, 50 alarms/s for 20 s. Prints the CPU of the api against a bare `ws`
 * broadcast of the same bytes, and how long an alarm takes from its commit to a client.
 *
 *   npm run bench:socket
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SOCKET_PATH } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import {
  createLogger,
  createPool,
  EmbeddedPostgres,
  InProcessMediaBus,
  migrate,
  type Pool,
} from "@huishi/platform";
import { WebSocketServer } from "ws";
import { nodeSecrets } from "../services/api/src/adapters/crypto/node-secrets.ts";
import { startApi } from "../services/api/src/index.ts";

const CLIENTS = 200;
const ALARMS_PER_SECOND = 50;
const SECONDS = 20;

/** The readers live in a process of their own, so that this one's CPU is the server's (and the inserts'). */
const READERS = `
process.once("message", ({ ws, clients, url, origin, cookies }) => {
  const { WebSocket } = require(ws);
  const latencies = [];
  let messages = 0, bytes = 0, open = 0;
  for (let i = 0; i < clients; i++) {
    const socket = new WebSocket(url, { headers: { cookie: cookies[i] ?? "" }, origin });
    socket.on("open", () => { socket.send('{"t":"hello"}'); if (++open === clients) process.send("open"); });
    socket.on("message", (data) => {
      messages += 1; bytes += data.length;
      if (i % 20 !== 0) return;
      const message = JSON.parse(data.toString());
      const nowMs = Date.now();
      if (message.t === "changes") for (const { alarm } of message.changes) if (alarm) latencies.push(nowMs - Number(alarm.ruleName));
    });
    socket.on("error", (err) => process.send("error " + err.message));
  }
  process.on("message", () => process.send({ latencies, messages, bytes }, () => process.exit(0)));
});
`;

interface Readings {
  readonly latencies: number[];
  readonly messages: number;
  readonly bytes: number;
}

class Readers {
  readonly #process: ChildProcess;

  constructor(url: string, origin: string, cookies: readonly string[]) {
    const ws = new URL(import.meta.resolve("ws")).pathname.replace("wrapper.mjs", "index.js");
    this.#process = spawn(process.execPath, ["-e", READERS], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.send({ url, origin, cookies, ws, clients: CLIENTS });
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#process.on("message", (message: unknown) => {
        if (message === "open") resolve();
        else if (typeof message === "string") reject(new Error(message));
      });
    });
  }

  end(): Promise<Readings> {
    return new Promise((resolve) => {
      this.#process.on("message", (readings: Readings) => resolve(readings));
      this.#process.send("end");
    });
  }
}

/** CPU that this process spends during the work, milliseconds. */
async function measure(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function insertAlarms(pool: Pool): Promise<void> {
  const startedMs = performance.now();
  for (let i = 0; i < ALARMS_PER_SECOND * SECONDS; i++) {
    await sleep(Math.max(0, startedMs + (i * 1000) / ALARMS_PER_SECOND - performance.now()));
    await pool.query(
      `INSERT INTO alarm (camera_id, rule_name, alarm_class, priority, captured_at, started_at, last_occurred_at)
       VALUES ('camera', $1, 'intrusion', 'P2', now(), now(), now())`,
      [String(Date.now())],
    );
  }
  await sleep(500);
}

async function prepareSessions(pool: Pool): Promise<string[]> {
  await pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ('agent', 'agent', '')");
  await pool.query("INSERT INTO camera (id, agent_id, name) VALUES ('camera', 'agent', 'camera')");
  await pool.query("INSERT INTO app_user (user_name, password_hash, role) VALUES ('bench', '', 'operator')");
  const tokens = Array.from({ length: Math.ceil(CLIENTS / 20) }, () => randomBytes(32).toString("base64url"));
  for (const token of tokens) {
    await pool.query(
      "INSERT INTO user_session (token_hash, user_id, expires_at) SELECT $1, id, now() + interval '1 day' FROM app_user",
      [nodeSecrets.sha256(token)],
    );
  }
  return Array.from({ length: CLIENTS }, (_, i) => `huishi=${tokens[Math.floor(i / 20)] ?? ""}`);
}

/** The least that a server can do: the same number of messages of the same size to as many sockets. */
async function measureBareBroadcast(messages: number, bytes: number): Promise<number> {
  const http = createServer().listen(0, "127.0.0.1");
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  await new Promise((resolve) => http.once("listening", resolve));
  const { port } = http.address() as AddressInfo;
  const readers = new Readers(`ws://127.0.0.1:${port}`, `http://127.0.0.1:${port}`, []);
  await readers.open();
  const message = Buffer.from(JSON.stringify({ t: "bare", pad: "x".repeat(Math.max(0, bytes - 21)) }));
  const cpuMs = await measure(async () => {
    for (let i = 0; i < messages; i++) {
      for (const socket of sockets.clients) socket.send(message, { binary: false });
      await sleep((SECONDS * 1000) / messages);
    }
  });
  for (const socket of sockets.clients) socket.terminate();
  http.close();
  return cpuMs;
}

const folder = await mkdtemp(join(tmpdir(), "huishi-bench-"));
const logger = createLogger({ name: "bench", level: "warn" });
const postgres = await EmbeddedPostgres.start({ dataDir: join(folder, "database"), logger });
await migrate(postgres.databaseUrl, logger);
const pool = createPool(postgres.databaseUrl);
const cookies = await prepareSessions(pool);
const insertsMs = await measure(() => insertAlarms(pool));
const api = await startApi({
  databaseUrl: postgres.databaseUrl,
  mediaBus: new InProcessMediaBus(),
  logger,
  host: "127.0.0.1",
  port: 0,
  dashboardDir: folder,
  mqttUrl: "",
  version: "bench",
});
const readers = new Readers(`${api.url.replace("http", "ws")}${SOCKET_PATH}`, api.url, cookies);
await readers.open();
const apiMs = await measure(() => insertAlarms(pool));
const { latencies, messages, bytes } = await readers.end();
await api.close();
const perClient = Math.round(messages / CLIENTS);
const bareMs = await measureBareBroadcast(perClient, Math.round(bytes / messages));
await pool.end();
await postgres.stop();
await rm(folder, { recursive: true, force: true });

latencies.sort((a, b) => a - b);
const quantile = (q: number): number => latencies[Math.floor(latencies.length * q)] ?? Number.NaN;
const report = {
  clients: CLIENTS,
  alarmsPerSecond: ALARMS_PER_SECOND,
  messagesPerClient: perClient,
  bytesPerMessage: Math.round(bytes / messages),
  insertsAloneCpuMs: Math.round(insertsMs),
  apiAndInsertsCpuMs: Math.round(apiMs),
  bareBroadcastCpuMs: Math.round(bareMs),
  // Reading, describing, serialising and sending, against sending alone.
  apiAgainstBare: Number(((apiMs - insertsMs) / bareMs).toFixed(2)),
  coreShare: Number(((apiMs - insertsMs) / (SECONDS * 1000)).toFixed(3)),
  commitToClientMs: { p50: quantile(0.5), p95: quantile(0.95), max: latencies.at(-1) },
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exit(0);
