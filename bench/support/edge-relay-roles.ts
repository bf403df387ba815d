/**
 * The other processes of the edge bench: a centre that takes what comes and tells when each stream's pictures arrive,
 * and an agent. Started by fork; they talk with the bench by messages.
 */
import {
  type MediaDemand,
  type Sampling,
  demandTopic,
  mediaClientId,
  parseTopic,
  readFragment,
} from "@huishi/contracts";
import { createLogger } from "@huishi/platform";
import { Aedes } from "aedes";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEdgeAgent } from "../../edge-agent/src/compose.ts";

const AGENT = "bench-agent";
const CODE = "claim-code-0123456789";

export type ToCentre = {
  readonly kind: "demand";
  readonly cameraId: string;
  readonly sampling: Sampling | null;
};
export type FromCentre =
  | { readonly kind: "ready"; readonly serverUrl: string }
  | { readonly kind: "first"; readonly cameraId: string; readonly atMs: number }
  | { readonly kind: "counts"; readonly units: number; readonly bytes: number };

async function centre(): Promise<void> {
  let units = 0;
  let bytes = 0;
  const awaited = new Set<string>();
  const broker = await Aedes.createBroker({
    authenticate: (_client, username, _password, done) =>
      done(null, username === AGENT || username === mediaClientId(AGENT)),
    authorizePublish: (_client, packet, done) => {
      const topic = parseTopic(packet.topic);
      if (topic?.kind === "media") {
        const payload = Buffer.from(packet.payload);
        bytes += payload.length;
        const { index } = readFragment(payload);
        if (index === 0) units += 1;
        if (awaited.delete(topic.cameraId)) {
          send({ kind: "first", cameraId: topic.cameraId, atMs: Date.now() });
        }
      }
      done(null);
    },
  });
  const mqtt = createServer((socket) => broker.handle(socket));
  await new Promise<void>((resolve) => mqtt.listen(0, "127.0.0.1", resolve));
  const mqttUrl = `mqtt://127.0.0.1:${(mqtt.address() as AddressInfo).port}`;
  const http = createHttpServer((request, response) => {
    request.resume();
    response.writeHead(201, { "content-type": "application/json" });
    response.end(JSON.stringify({ agentId: AGENT, secret: "bench", mqttUrl }));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  process.on("message", ({ cameraId, sampling }: ToCentre) => {
    if (sampling) awaited.add(cameraId);
    const demand: MediaDemand = {
      v: 1,
      issuedAtMs: Date.now(),
      streams: sampling ? [{ profile: "main", leaseMs: 600_000, sampling }] : [],
    };
    const topic = demandTopic(AGENT, cameraId);
    const payload = JSON.stringify(demand);
    broker.publish({ cmd: "publish", topic, payload, qos: 1, retain: true, dup: false }, () => undefined);
  });
  setInterval(() => send({ kind: "counts", units, bytes }), 500);
  send({ kind: "ready", serverUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
}

async function agent(serverUrl: string, urls: readonly string[]): Promise<void> {
  const stateDir = await mkdtemp(path.join(tmpdir(), "huishi-bench-agent-"));
  const running = await startEdgeAgent({
    stateDir,
    serverUrl,
    claimCode: CODE,
    cameras: urls.map((main, i) => ({ id: `camera-${i}`, rtsp: { main } })),
    discovery: { enabled: false },
    // Relaying alone: what the picture watch costs is measured by edge-health.ts.
    watchPictures: false,
    logger: createLogger({ name: "bench", level: "warn" }),
  });
  process.on("message", () => {
    void running
      .close()
      .then(() => rm(stateDir, { recursive: true, force: true }))
      .then(() => process.exit(0));
  });
  process.send?.({ kind: "ready" });
}

function send(message: FromCentre): void {
  process.send?.(message);
}

const [role, ...rest] = process.argv.slice(2);
if (role === "centre") await centre();
else await agent(rest[0] as string, rest.slice(1));
