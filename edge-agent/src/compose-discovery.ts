// How devices are found and who is spoken to: guard of the site's networks, probers, quarantine, ledger of sign-ins.
import type { Clock } from "@huishi/kernel";
import { LinkZones } from "./adapters/network-guard/link-zones.ts";
import { NetworkGuard } from "./adapters/network-guard/network-guard.ts";
import { QuarantineFile } from "./adapters/state-files/quarantine-file.ts";
import { SignInFile } from "./adapters/state-files/sign-in-file.ts";
import { SubnetProbe } from "./adapters/subnet-probe/subnet-probe.ts";
import { WsDiscovery } from "./adapters/ws-discovery/ws-discovery.ts";
import { DEFAULT_CAMERA_TIMINGS, type CameraTimings } from "./application/camera-keeper.ts";
import { DeviceWatch } from "./application/device-watch.ts";
import type { Configurable } from "./application/configuration.ts";
import type { EventRecorder } from "./application/outbox-relay.ts";
import type { Log } from "./application/ports.ts";
import { SignInLedger } from "./application/sign-in-ledger.ts";
import type { CameraConfig, EdgeAgentConfig } from "./config.ts";
import { parseRtspAddress } from "./domain/rtsp-address.ts";

export interface ComposedDiscovery {
  readonly guard: NetworkGuard;
  readonly watch: DeviceWatch;
  readonly signIns: SignInLedger;
  /** The site's networks, and which devices are adopted, as the centre's configuration says. */
  readonly follow: Configurable;
}

export async function composeDiscovery(
  options: Pick<EdgeAgentConfig, "cameras" | "sensors" | "discovery" | "stateDir"> & {
    readonly timings?: Partial<CameraTimings>;
    readonly log: Log;
    readonly clock: Clock;
    readonly recorder: EventRecorder;
  },
): Promise<ComposedDiscovery> {
  const { discovery, stateDir, log, clock, recorder } = options;
  const { networks, onvifPorts, rtspPorts } = discovery;
  const zones = new LinkZones();
  const guard = new NetworkGuard({
    zones,
    typedHosts: typedHosts(options),
    ...(networks === undefined ? {} : { networks }),
  });
  const signIns = await SignInLedger.open({
    store: new SignInFile(stateDir),
    clock,
    log,
    restMs: options.timings?.authRetryMs ?? DEFAULT_CAMERA_TIMINGS.authRetryMs,
  });
  let adopted = adoptedKeys(options.cameras);
  const watch = new DeviceWatch({
    discovery: discovery.enabled
      ? new WsDiscovery({ ...discovery, log, onHeard: (address) => zones.heard(address) })
      : null,
    probe: new SubnetProbe({ guard, onvifPorts, rtspPorts }),
    store: new QuarantineFile(stateDir),
    recorder,
    clock,
    log,
    isAdopted: ({ deviceKey, address }) =>
      discovery.adopt === true || adopted.has(deviceKey) || adopted.has(address),
    isOfSite: (network) => guard.includes(network),
  });
  await watch.load();
  return {
    guard,
    watch,
    signIns,
    follow: {
      name: "site",
      apply(config) {
        guard.setNetworks(config?.site.networks ?? networks);
        adopted = adoptedKeys([...options.cameras, ...(config?.cameras ?? [])]);
      },
    },
  };
}

/** Keys of devices and addresses of device services that the configuration names. */
function adoptedKeys(cameras: readonly Pick<CameraConfig, "onvif" | "device">[]): ReadonlySet<string> {
  return new Set(
    cameras.flatMap(({ onvif, device }) => [
      ...(device === undefined ? [] : [device]),
      ...(onvif === undefined ? [] : [new URL(onvif).host]),
    ]),
  );
}

/** Hosts that a person typed into the local file: they are spoken to as typed, inside the site's networks or not. */
function typedHosts({
  cameras,
  sensors = [],
  discovery,
}: Pick<EdgeAgentConfig, "cameras" | "sensors" | "discovery">): string[] {
  const ofSensors = sensors.flatMap(({ source }) => (source.kind === "modbus_tcp" ? [source.host] : []));
  const ofCameras = cameras.flatMap(({ onvif, rtsp }) => [
    ...(onvif === undefined ? [] : [new URL(onvif).hostname]),
    ...Object.values(rtsp ?? {}).map((url) => parseRtspAddress(url).host),
  ]);
  // Who has the agent probe on the loopback interface means what answers there.
  const ofProbe = discovery.interfaceAddress === "127.0.0.1" ? ["127.0.0.1"] : [];
  return [...ofCameras, ...ofSensors, ...ofProbe];
}
