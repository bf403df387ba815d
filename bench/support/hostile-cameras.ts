/**
 * The cameras of the hostile bench, in a process of their own: eight that behave, one ONVIF service whose answers are
 * told by message, and one that answers WS-Discovery probes with a flood. Started by fork.
 */
import { CameraSimulator } from "@huishi/camera-simulator";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the ninth camera answers from now on. */
export interface ToCameras {
  readonly body: string;
  /** Datagrams that answer a probe: a template with `$ID` for the probe's MessageID, and how many. */
  readonly datagram?: string;
  readonly datagrams?: number;
}
export type FromCameras =
  | {
      readonly kind: "ready";
      readonly urls: readonly string[];
      readonly hostileUrl: string;
      readonly discoveryPort: number;
    }
  | { readonly kind: "set" };

const CAMERAS = 8;
const GROUP = "239.255.255.250";

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

const folder = await mkdtemp(join(tmpdir(), "huishi-bench-hostile-"));
const discoveryPort = await freeUdpPort();
const simulator = new CameraSimulator({ cacheDir: folder, discoveryPort });
let said: ToCameras = { body: "" };
const urls: string[] = [];
for (let i = 0; i < CAMERAS; i++) {
  const source = { kind: "clip", codec: "h264", width: 160, height: 120, fps: 5, groupSeconds: 1 } as const;
  urls.push((await simulator.start({ name: `Camera ${i}`, source, discovery: true })).onvifUrl);
}
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "application/soap+xml" }).end(said.body);
}).listen(0, "127.0.0.1");
await once(server, "listening");
const probes = createSocket({ type: "udp4", reuseAddr: true });
probes.on("message", (probe, from) => {
  const id = /MessageID>([^<]+)</.exec(probe.toString())?.[1];
  if (id === undefined || said.datagram === undefined) return;
  const reply = said.datagram.replace("$ID", id);
  for (let i = 0; i < (said.datagrams ?? 1); i++)
    probes.send(reply, from.port, from.address, () => undefined);
});
probes.bind(discoveryPort, () => probes.addMembership(GROUP, "127.0.0.1"));
await once(probes, "listening");

const send = (message: FromCameras): void => void process.send?.(message);
process.on("message", (message: ToCameras) => {
  said = message;
  send({ kind: "set" });
});
process.once("disconnect", () => {
  probes.close();
  server.close();
  void simulator
    .stop()
    .then(() => rm(folder, { recursive: true, force: true }))
    .then(() => process.exit(0));
});
const { port } = server.address() as AddressInfo;
send({ kind: "ready", urls, hostileUrl: `http://127.0.0.1:${port}/onvif/device_service`, discoveryPort });
