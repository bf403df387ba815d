import type { EdgeAgent } from "@huishi/edge-agent";
import { until } from "@huishi/testkit";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ControlScene } from "./test-support/control-scene.ts";

let scene: ControlScene;
let agent: EdgeAgent;
beforeEach(async () => {
  scene = await ControlScene.start();
  agent = await scene.agent();
});
afterEach(() => scene.close());

const BODY = { site: {}, cameras: [] as object[], sensors: [] };
// Nobody listens there: the camera is unreachable, which is all that this needs.
const CAMERA = { id: "north", name: "North", rtsp: { main: "rtsp://127.0.0.1:9/main" } };
const configPath = (): string => `/api/v1/agents/${agent.agentId}/config`;
const put = (expectedRevision: number, config: object) =>
  scene.request("PUT", configPath(), { expectedRevision, config });
const stateOf = (revision: number) =>
  until("the agent says what it did", async () => {
    const { body } = await scene.request("GET", configPath());
    return body.state?.revision === revision && body.state;
  });
const camerasOf = () => scene.rows("SELECT id, name FROM camera ORDER BY id");

test("a configuration is told to the agent, applied, and survives a start without the centre", async () => {
  expect((await put(0, { ...BODY, cameras: [CAMERA] })).status).toBe(200);
  expect(await stateOf(1)).toMatchObject({ state: "applied" });
  await until("the camera is known", async () => (await camerasOf()).length === 1);
  const file = join(scene.folder, "agent", "config.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await scene.stopAgent(agent);
  agent = await scene.startAgent({ mqttUrl: "mqtt://127.0.0.1:9" });
  await until("the camera is looked after", () => agent.cameraIds.includes("north"));
});

test("cameras that did not change are not touched by a new configuration, removed ones stop", async () => {
  await put(0, { ...BODY, cameras: [CAMERA, { ...CAMERA, id: "south" }] });
  await until("both", () => agent.cameraIds.length === 2);
  await put(1, { ...BODY, cameras: [CAMERA] });
  await stateOf(2);
  expect(agent.cameraIds).toEqual(["north"]);
});

test("a change that was made from an old revision conflicts, and names the newer one", async () => {
  await put(0, BODY);
  await put(1, BODY);
  expect(await put(1, BODY)).toMatchObject({
    status: 409,
    body: { code: "CONFIG_CONFLICT", details: { current: 2 } },
  });
});

test("a configuration that contradicts itself is refused by the centre, with the field", async () => {
  const answer = await put(0, { ...BODY, cameras: [CAMERA, CAMERA] });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: "AGENT_CONFIG_INVALID", details: { path: "/cameras/1/id" } },
  });
});

test("what the agent cannot do it refuses as a whole, says which field, and keeps what it had", async () => {
  await put(0, { ...BODY, cameras: [CAMERA] });
  await stateOf(1);
  // The centre takes the unit as text; the agent knows what it measures.
  const level = {
    observedProperty: "water_level",
    unit: "m",
    sourceUnit: "furlongs-of-water",
    pointer: "/v",
  };
  const sensor = { id: "level", name: "Level", source: { kind: "http" }, datastreams: [level] };
  await put(1, { ...BODY, cameras: [CAMERA], sensors: [sensor] });
  expect(await stateOf(2)).toMatchObject({ state: "refused", code: "UNIT_UNKNOWN" });
  expect((await stateOf(2)).message).toContain("furlongs-of-water");
  await until("its camera is looked after", () => agent.cameraIds.join() === "north");
});

test("a camera's account reaches the agent, and stands in clear nowhere: no log, no row, no answer, no file", async () => {
  await put(0, { ...BODY, cameras: [CAMERA] });
  await until("the camera is known", async () => (await camerasOf()).length === 1);
  const password = "Tr0ub4dor-and-3";
  const account = { username: "installer-name", password };
  expect((await scene.request("PUT", "/api/v1/cameras/north/credential", account)).status).toBe(204);
  const answers = await Promise.all(
    [configPath(), `/api/v1/agents/${agent.agentId}`, "/api/v1/agents", "/api/v1/cameras"].map((path) =>
      scene.request("GET", path),
    ),
  );
  expect(JSON.stringify(answers)).not.toContain(password);
  expect(scene.logLines.join("")).not.toContain(password);
  const tables = await scene.rows<{ name: string }>(
    "SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
  );
  expect(tables.length).toBeGreaterThan(20);
  for (const { name } of tables) {
    const rows = await scene.rows(`SELECT 1 FROM ${name} t WHERE t::text LIKE '%' || $1 || '%'`, password);
    expect(rows, name).toEqual([]);
  }
  const folder = join(scene.folder, "agent");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((f) => f.isFile());
  for (const { parentPath, name } of files)
    expect((await readFile(join(parentPath, name))).includes(password), name).toBe(false);
  for (const name of ["keys.json", "credentials.json"])
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  const [row] = await scene.rows<{ sealed: string }>("SELECT body ->> 'sealed' AS sealed FROM agent_command");
  expect(row?.sealed).toMatch(/^[\w-]{100,}$/);
});

test("an account that was sealed for one camera is not taken for another", async () => {
  await put(0, { ...BODY, cameras: [CAMERA, { id: "south", rtsp: { main: "rtsp://127.0.0.1:9/other" } }] });
  await until("the cameras are known", async () => (await camerasOf()).length === 2);
  await scene.request("PUT", "/api/v1/cameras/north/credential", { username: "u", password: "p" });
  await scene.rows(
    `INSERT INTO agent_command (id, agent_id, body, valid_ms, created_by)
     SELECT 'replayed', agent_id, body || '{"cameraId": "south"}', 10000, 'somebody' FROM agent_command`,
  );
  const row = await until("it is refused", async () => {
    const [found] = await scene.rows<{ state: string; code: string }>(
      "SELECT state, code FROM agent_command WHERE id = 'replayed' AND replied_at IS NOT NULL",
    );
    return found;
  });
  expect(row).toEqual({ state: "failed", code: "CREDENTIAL_REFUSED" });
});

test("a rotated secret takes over without anybody seeing it, and the old one is dead", async () => {
  const file = join(scene.folder, "agent", "identity.json");
  const before = JSON.parse(await readFile(file, "utf8"));
  const hashes = () =>
    scene.rows<{ secret_hash: Buffer; next_secret_hash: Buffer | null }>(
      "SELECT secret_hash, next_secret_hash FROM agent",
    );
  const [old] = await hashes();
  expect((await scene.request("POST", `/api/v1/agents/${agent.agentId}/rotate-secret`)).status).toBe(204);
  await until("the new one signed in", async () => {
    const [now] = await hashes();
    return now?.next_secret_hash === null && !now.secret_hash.equals(old?.secret_hash ?? Buffer.alloc(0));
  });
  const after = await until("the agent kept it", async () => {
    const identity = JSON.parse(await readFile(file, "utf8"));
    return identity.nextSecret === undefined && identity;
  });
  expect(after.secret).not.toBe(before.secret);
  expect(scene.logLines.join("")).not.toContain(after.secret);
  await scene.untilOnline(agent.agentId);
});

test("an agent that died in the middle of a rotation comes back, whichever secret the centre knows", async () => {
  const file = join(scene.folder, "agent", "identity.json");
  const identity = JSON.parse(await readFile(file, "utf8"));
  await scene.stopAgent(agent);
  // The next one was written, and the centre never heard of it.
  await writeFile(file, JSON.stringify({ ...identity, nextSecret: "n".repeat(43) }));
  await scene.untilOnline(agent.agentId, false);
  agent = await scene.startAgent();
  await scene.untilOnline(agent.agentId);
  await until(
    "the useless one is forgotten",
    async () => JSON.parse(await readFile(file, "utf8")).nextSecret === undefined,
  );
  // It was killed after the centre heard of the next one.
  await scene.stopAgent(agent);
  await scene.untilOnline(agent.agentId, false);
  const next = "x".repeat(43);
  await scene.rows("UPDATE agent SET next_secret_hash = sha256($1::bytea)", Buffer.from(next));
  await writeFile(file, JSON.stringify({ ...identity, nextSecret: next }));
  agent = await scene.startAgent();
  await scene.untilOnline(agent.agentId);
  await until("it is the secret now", async () => JSON.parse(await readFile(file, "utf8")).secret === next);
});

test("a revoked agent is cut off within five seconds, learns it, and asks again only after minutes", async () => {
  const revokedAtMs = performance.now();
  expect((await scene.request("POST", `/api/v1/agents/${agent.agentId}/revoke`)).status).toBe(204);
  await scene.untilOnline(agent.agentId, false);
  expect(performance.now() - revokedAtMs).toBeLessThan(5_000);
  await until("it knows", () => scene.logLines.some((line) => line.includes("this agent was revoked")));
  const refusals = () =>
    scene.logLines.filter((line) => line.includes("AGENT_REVOKED") && line.includes("refused")).length;
  const before = refusals();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(refusals() - before).toBeLessThanOrEqual(1);
});
