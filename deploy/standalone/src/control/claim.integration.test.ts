import { startApi, type RunningApi } from "@huishi/api";
import { buildClaimText, parseClaimText } from "@huishi/contracts";
import { startEdgeAgent } from "@huishi/edge-agent";
import { type Ingest, startIngest } from "@huishi/ingest";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { makeTlsFiles, testDatabase, type TestDatabase, type TestTlsFiles, until } from "@huishi/testkit";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** A centre whose HTTPS and MQTTS have a certificate of an authority of their own, as at most sites. */
let database: TestDatabase;
let folder: string;
let files: TestTlsFiles;
let other: TestTlsFiles;
let api: RunningApi;
let ingest: Ingest;
let host: string;
const logger = createLogger({ name: "test", level: "silent" });

beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), "huishi-claim-"));
  files = await makeTlsFiles(folder);
  other = await makeTlsFiles(folder, "impostor");
  const { databaseUrl } = database;
  const mediaBus = new InProcessMediaBus({ lingerMs: 50 });
  ingest = await startIngest({ databaseUrl, host: "127.0.0.1", port: 0, mediaBus, logger, tls: files });
  const port = await freePort();
  host = `127.0.0.1:${port}`;
  api = await startApi({
    databaseUrl,
    mediaBus,
    logger,
    host: "127.0.0.1",
    port,
    dashboardDir: folder,
    mqttUrl: `mqtts://127.0.0.1:${ingest.port}`,
    version: "0.0.0-test",
    tls: { ...files, host },
  });
});
afterAll(async () => {
  await api.close();
  await ingest.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function newCode(): Promise<string> {
  const code = `CODE-${Math.random().toString(36).slice(2).padEnd(20, "0").toUpperCase()}`;
  const normal = code.replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  await database.pool.query(
    "INSERT INTO agent_claim (code_hash, expires_at) VALUES ($1, now() + interval '1 minute')",
    [createHash("sha256").update(normal).digest()],
  );
  return code;
}

/** What a client that trusts the authority is answered. */
async function claim(body: object): Promise<{ status: number; body: unknown }> {
  const ca = await readFile(files.caFile);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const url = `https://${host}/api/v1/agents/claim`;
    const asked = request(url, { method: "POST", ca, headers, agent: false }, resolve);
    asked.on("error", reject);
    asked.end(JSON.stringify(body));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) };
}

const fingerprintOf = async (file: string): Promise<string> =>
  createHash("sha256")
    .update(new X509Certificate(await readFile(file)).raw)
    .digest("hex");

const start = (name: string, claimCode: string) =>
  startEdgeAgent({
    stateDir: join(folder, name),
    serverUrl: "http://192.0.2.1",
    claimCode,
    cameras: [],
    discovery: { enabled: false },
    logger,
    signal: AbortSignal.timeout(20_000),
  });

test("an agent with the claim text knows the centre by its authority, for HTTPS and for MQTTS, and has its keys there", async () => {
  const text = buildClaimText({
    code: await newCode(),
    host,
    fingerprint: await fingerprintOf(files.caFile),
  });
  const agent = await start("right", text);
  await until("online", async () => {
    const { rows } = await database.pool.query("SELECT 1 FROM agent WHERE id = $1 AND online", [
      agent.agentId,
    ]);
    return rows.length === 1;
  });
  const { rows } = await database.pool.query(
    "SELECT kind, length(key_id) AS named, octet_length(public_key) AS bytes FROM agent_key WHERE agent_id = $1 ORDER BY kind",
    [agent.agentId],
  );
  expect(rows).toEqual([
    { kind: "seal", named: 16, bytes: 32 },
    { kind: "sign", named: 16, bytes: 32 },
  ]);
  expect(await readFile(join(folder, "right", "ca.pem"), "utf8")).toContain("BEGIN CERTIFICATE");
  await agent.close();
  // The next start knows it without the text.
  const again = await start("right", text);
  expect(again.agentId).toBe(agent.agentId);
  await again.close();
});

test("with another authority's fingerprint nothing is claimed: the code is never sent", async () => {
  const code = await newCode();
  const text = buildClaimText({ code, host, fingerprint: await fingerprintOf(other.caFile) });
  await expect(start("wrong", text)).rejects.toMatchObject({ code: "SERVER_PIN_MISMATCH" });
  const { rows } = await database.pool.query(
    "SELECT count(*)::int AS used FROM agent_claim WHERE used_at IS NOT NULL",
  );
  expect(rows).toEqual([{ used: 1 }]);
});

test("without TLS a claim goes to this machine alone", async () => {
  await expect(start("plain", await newCode())).rejects.toMatchObject({ code: "SERVER_PLAIN_REFUSED" });
});

test("keys that are not signed by the one that they name are refused, and the code stays good", async () => {
  const code = await newCode();
  const key = Buffer.alloc(32, 7).toString("base64url");
  const keys = { sign: key, seal: key, proof: Buffer.alloc(64).toString("base64url") };
  expect(await claim({ code, name: "Gate", keys })).toMatchObject({
    status: 400,
    body: { code: "CLAIM_PROOF_INVALID" },
  });
  expect((await claim({ code, name: "Gate" })).status).toBe(201);
});

test("a claim text can be read back, and no other text passes for one", () => {
  const text = { code: "7ZK4Q-AAAAA-BBBBB-CCCCC", host: "[2001:db8::1]:8443", fingerprint: "0a".repeat(32) };
  expect(parseClaimText(buildClaimText(text))).toEqual(text);
  for (const wrong of [
    "",
    buildClaimText({ ...text, fingerprint: "0A".repeat(32) }),
    buildClaimText({ ...text, host: "user@evil" }),
    buildClaimText({ ...text, code: "short" }),
    `${buildClaimText(text)}\n:x`,
  ])
    expect(() => parseClaimText(wrong), wrong).toThrow("claim text");
});
