import { systemClock } from "@huishi/kernel";
import { createLogger, createPool } from "@huishi/platform";
import type { FastifyBaseLogger } from "fastify";
import { Argon2Hasher } from "../adapters/crypto/argon2-hasher.ts";
import { nodeSecrets } from "../adapters/crypto/node-secrets.ts";
import { buildApp } from "../adapters/fastify/app.ts";
import { PostgresAgentControlStore } from "../adapters/postgres/agent-control-store.ts";
import { PostgresAgentStore } from "../adapters/postgres/agent-store.ts";
import { PostgresAlarmStore } from "../adapters/postgres/alarm-store.ts";
import { PostgresCameraStore } from "../adapters/postgres/camera-store.ts";
import { PostgresCommandStore } from "../adapters/postgres/command-store.ts";
import { PostgresGroundPlaneStore } from "../adapters/postgres/ground-plane-store.ts";
import { PostgresIdentityStore } from "../adapters/postgres/identity-store.ts";
import { PostgresRuleStore } from "../adapters/postgres/rule-store.ts";
import { PostgresZoneStore } from "../adapters/postgres/zone-store.ts";
import { questionParts, rehearsalParts, storeParts } from "../compose-questions.ts";
import { AgentControl } from "../application/agent-control.ts";
import { PostgresClipStore } from "../adapters/postgres/clip-store.ts";
import { PostgresLookStore } from "../adapters/postgres/look-store.ts";
import { AgentCommands } from "../application/agent-commands.ts";
import { PostgresUploadStore } from "../adapters/postgres/upload-store.ts";
import { AgentUploads } from "../application/agent-uploads.ts";
import { Clips } from "../application/clips.ts";
import { GroundPlanes } from "../application/ground-planes.ts";
import { Identity } from "../application/identity.ts";
import { ZonesAndRules } from "../application/zones-and-rules.ts";

/** The OpenAPI 3.1 document of all routes, built without a database: the pool below never connects. */
export async function openApiDocument(version: string): Promise<object> {
  const pool = createPool("postgres://127.0.0.1:1/none");
  const clock = systemClock;
  const secrets = nodeSecrets;
  const cameras = new PostgresCameraStore(pool);
  const zones = new PostgresZoneStore(pool);
  const parts = { pool, questions: pool, clock, zones };
  const rules = new PostgresRuleStore(pool, pool);
  const grounds = new PostgresGroundPlaneStore(pool);
  const zonesAndRules = new ZonesAndRules({
    cameras,
    zones,
    rules,
    grounds,
    secrets,
    clock,
  });
  const identity = new Identity({
    store: new PostgresIdentityStore(pool),
    hasher: new Argon2Hasher(),
    secrets,
    clock,
  });
  const commands = new AgentCommands(new PostgresCommandStore(pool));
  const app = await buildApp({
    identity: { identity, clock, version, isHttps: false, attemptsPerMinute: 1 },
    cameras,
    zonesAndRules,
    rehearsals: rehearsalParts({
      pool,
      cameras,
      looks: new PostgresLookStore(pool),
      clock,
      rules: zonesAndRules,
    }),
    groundPlanes: new GroundPlanes({ cameras, grounds, rules }),
    alarms: new PostgresAlarmStore(pool),
    agents: { store: new PostgresAgentStore(pool), secrets, clock, mqttUrl: "", attemptsPerMinute: 1 },
    commands,
    clips: {
      commands,
      clips: new Clips({
        store: new PostgresClipStore(pool),
        files: null,
        looks: new PostgresLookStore(pool),
        clock,
      }),
    },
    uploads: new AgentUploads({
      store: new PostgresUploadStore(pool),
      contents: null,
      commands,
      looks: new PostgresLookStore(pool),
    }),
    agentControl: {
      control: new AgentControl({ store: new PostgresAgentControlStore(pool), commands, clock }),
      commands,
      attemptsPerMinute: 1,
    },
    questions: questionParts(parts),
    store: storeParts(parts),
    operation: {
      loop: () => ({ live: true, maxDelayMs: 0 }),
      health: () => [],
      metrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    },
    logger: createLogger({ name: "documents", level: "silent" }) as FastifyBaseLogger,
    dashboardDir: "",
    publicOrigin: null,
    trustedProxies: [],
  });
  await app.ready();
  const document = app.swagger() as object;
  await app.close();
  await pool.end();
  return document;
}
