// A whole agent in a process of its own: what it finds, and what it makes of the cameras that it is given afterwards.
import { createLogger } from "@huishi/platform";
import { OnvifControl } from "../adapters/onvif/onvif-control.ts";
import { LinkZones } from "../adapters/network-guard/link-zones.ts";
import { NetworkGuard } from "../adapters/network-guard/network-guard.ts";
import { startEdgeAgent } from "../compose.ts";
import type { CameraConfig, EdgeAgentConfig } from "../config.ts";
import { CLAIM_CODE, TestCentre, until } from "./centre.ts";

export interface SiteAgent {
  readonly stateDir: string;
  /** Devices to wait for. */
  readonly devices: number;
}
interface FoundBySite {
  readonly kind: "found";
  readonly devices: readonly { readonly key: string; readonly url: string | null }[];
}
/** What became of each camera. */
interface SeenCamera {
  readonly name: string;
  readonly address: string;
  readonly model: string;
  readonly hasPtz: boolean;
  readonly codecs: readonly string[];
  readonly units: number;
  readonly keyframes: number;
  /** Bytes of a JPEG over ONVIF, or the code of what went wrong. */
  readonly snapshot: number | string;
}
export type FromSiteAgent =
  FoundBySite | { readonly kind: "seen"; readonly cameras: Readonly<Record<string, SeenCamera>> };
export interface ToSiteAgent {
  readonly cameras: readonly (CameraConfig & { readonly id: string })[];
}

const { stateDir, devices } = JSON.parse(process.argv[2] ?? "") as SiteAgent;
const centre = await TestCentre.start();
const config = (cameras: readonly CameraConfig[]): EdgeAgentConfig => ({
  stateDir,
  serverUrl: centre.serverUrl,
  claimCode: CLAIM_CODE,
  cameras: [...cameras],
  discovery: { enabled: true, intervalMs: 1_000 },
  watchPictures: false,
});
const logger = createLogger({ name: "site-agent", level: "fatal" });
const timings = { healthIntervalMs: 500, retry: { baseDelayMs: 200, maxDelayMs: 500 } };
const looking = await startEdgeAgent({ ...config([]), logger, timings });
const found = await devicesFound();
await looking.close();
tell({
  kind: "found",
  devices: found.map(({ deviceKey, onvifUrl }) => ({ key: deviceKey, url: onvifUrl ?? null })),
});

process.once("message", ({ cameras }: ToSiteAgent) => {
  void watch(cameras).then((seen) => tell({ kind: "seen", cameras: seen }));
});

async function devicesFound() {
  return until(
    "the devices",
    () => {
      const keys = new Map(centre.eventsOf("device_found").map((event) => [event.deviceKey, event]));
      return keys.size >= devices && [...keys.values()];
    },
    30_000,
  );
}

async function watch(cameras: ToSiteAgent["cameras"]): Promise<Record<string, SeenCamera>> {
  const agent = await startEdgeAgent({ ...config(cameras), logger, timings });
  const seen: Record<string, SeenCamera> = {};
  for (const camera of cameras) centre.demand(camera.id, ["main"], 60_000);
  for (const camera of cameras) seen[camera.id] = await see(camera);
  await agent.close();
  return seen;
}

async function see(camera: CameraConfig & { readonly id: string }): Promise<SeenCamera> {
  const { id } = camera;
  const inventory = await until(
    `the inventory of ${id}`,
    () => centre.eventsOf("camera_inventory").find(({ cameraId }) => cameraId === id),
    20_000,
  ).catch(() => null);
  await until(`pictures of ${id}`, () => centre.unitsOf(id, "main").length > 30, 20_000).catch(() => null);
  const units = centre.unitsOf(id, "main");
  return {
    name: inventory?.name ?? "",
    address: inventory?.address ?? "",
    model: [inventory?.manufacturer, inventory?.model, inventory?.firmware, inventory?.serial].join("|"),
    hasPtz: inventory?.ptz ?? false,
    codecs: (inventory?.streams ?? []).map(({ codec, width, height }) => `${codec} ${width}x${height}`),
    units: units.length,
    keyframes: units.filter(({ keyframe }) => keyframe).length,
    snapshot: await snapshotOf(camera),
  };
}

async function snapshotOf({ device, onvif, username, password }: CameraConfig): Promise<number | string> {
  const serviceUrl = onvif ?? found.find(({ deviceKey }) => deviceKey === device)?.onvifUrl;
  if (serviceUrl === undefined || serviceUrl === null) return "no service";
  const guard = new NetworkGuard({ zones: new LinkZones() });
  const account = username === undefined ? null : { username, password: password ?? "" };
  const control = new OnvifControl({ serviceUrl, account, reach: (h, s) => guard.assertReachable(h, s) });
  return control.snapshot(AbortSignal.timeout(10_000)).then(
    (jpeg) => (jpeg[0] === 0xff && jpeg[1] === 0xd8 ? jpeg.length : "no JPEG"),
    (error: { code?: string }) => error.code ?? "another fault",
  );
}

function tell(message: FromSiteAgent): void {
  process.send?.(message);
}
process.once("disconnect", () => process.exit(0));
