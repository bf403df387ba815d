// Makes the keeper of each camera out of its configuration or of what discovery found.
import type { Clock } from "@huishi/kernel";
import type { NetworkGuard } from "./adapters/network-guard/network-guard.ts";
import { FollowedCamera } from "./adapters/onvif/followed-camera.ts";
import { OnvifCamera } from "./adapters/onvif/onvif-camera.ts";
import type { Account } from "./adapters/rtsp/digest.ts";
import { OnvifControl } from "./adapters/onvif/onvif-control.ts";
import { RtspCamera } from "./adapters/rtsp/rtsp-camera.ts";
import type { ResolveAddress } from "./adapters/rtsp/rtsp-probe.ts";
import { RtspSource } from "./adapters/rtsp/rtsp-source.ts";
import type { CameraRegistryFile } from "./adapters/state-files/camera-registry-file.ts";
import type { ControlledCamera } from "./application/camera-commands.ts";
import type { KeeperFactory } from "./application/camera-fleet.ts";
import { CameraKeeper, type CameraTimings } from "./application/camera-keeper.ts";
import type { FindingsBoard } from "./application/camera-findings.ts";
import { GuardedCamera, GuardedSource, type SignInLedger } from "./application/sign-in-ledger.ts";
import type { EventRecorder } from "./application/outbox-relay.ts";
import type { CameraControl, CameraDevice, FoundDevice, Log, MediaLink } from "./application/ports.ts";
import type { CameraConfig } from "./config.ts";
import { parseRtspAddress } from "./domain/rtsp-address.ts";
import type { UplinkBudget } from "./domain/uplink-budget.ts";

export interface CameraParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: EventRecorder;
  readonly link: MediaLink;
  readonly budget: UplinkBudget;
  readonly registry: CameraRegistryFile;
  readonly timings: CameraTimings;
  readonly findings?: FindingsBoard;
  /** Who of the network may be spoken to. */
  readonly guard: NetworkGuard;
  /** ONVIF service of a device that was found, where it is now. */
  readonly locate: (deviceKey: string) => string | null;
  readonly signIns: SignInLedger;
  /** ONVIF cameras by id, for commands; filled as cameras get their ids. */
  readonly controls: Map<string, ControlledCamera>;
}

type AccountConfig = { readonly username?: string; readonly password?: string };

/** Host and port under which discovery would find the same camera. */
export function configuredAddress(camera: CameraConfig): string {
  return camera.onvif === undefined ? "" : new URL(camera.onvif).host;
}

export function configuredKeeper(camera: CameraConfig, parts: CameraParts): KeeperFactory {
  const account = accountOf(camera, camera.onvif ?? camera.rtsp?.main ?? "");
  const openOnvif = (serviceUrl: string): CameraDevice =>
    new OnvifCamera({ serviceUrl, account, clock: parts.clock, reach: reachOf(parts) });
  const device: CameraDevice = camera.rtsp
    ? new RtspCamera({ ...camera.rtsp, account, resolve: addressBy(parts.guard) })
    : camera.device !== undefined
      ? new FollowedCamera({ deviceKey: camera.device, locate: parts.locate, open: openOnvif })
      : openOnvif(withoutAccount(camera.onvif ?? ""));
  const serviceUrl = (): string | null =>
    camera.device === undefined ? withoutAccount(camera.onvif ?? "") : parts.locate(camera.device);
  return keeper(device, account, parts, {
    ...(camera.rtsp ? {} : { control: controlAt(serviceUrl, account, parts) }),
    ...(camera.id === undefined ? {} : { id: camera.id }),
    ...(camera.device === undefined || camera.device.startsWith("address:")
      ? {}
      : { endpoint: camera.device }),
    ...(camera.name === undefined ? {} : { name: camera.name }),
    ...(camera.note === undefined ? {} : { note: camera.note }),
  });
}

export function discoveredKeeper(
  found: FoundDevice,
  credentials: AccountConfig | undefined,
  parts: CameraParts,
): KeeperFactory {
  const account = accountOf(credentials ?? {}, "");
  const device = new OnvifCamera({
    serviceUrl: found.onvifUrl,
    account,
    clock: parts.clock,
    reach: reachOf(parts),
  });
  return keeper(device, account, parts, {
    endpoint: found.endpoint,
    control: controlAt(() => found.onvifUrl, account, parts),
  });
}

function keeper(
  device: CameraDevice,
  account: Account | null,
  { registry, guard, locate: _locate, signIns, controls, ...parts }: CameraParts,
  camera: {
    readonly id?: string;
    readonly name?: string;
    readonly note?: string;
    readonly endpoint?: string;
    /** The camera to command; null where it has no ONVIF service (now). */
    readonly control?: () => CameraControl | null;
  },
): KeeperFactory {
  const { id, endpoint, control, ...shown } = camera;
  const resolve = addressBy(guard);
  const gate = signIns.gate(id ?? endpoint ?? device.address, account);
  return (onIdentified) =>
    new CameraKeeper({
      ...parts,
      ...shown,
      ...(endpoint === undefined ? {} : { endpoint }),
      device: new GuardedCamera(device, gate),
      onIdentified: (cameraId) => {
        if (control) controls.set(cameraId, { control, gate });
        onIdentified(cameraId);
      },
      identify: (description) =>
        registry.assign(
          {
            ...(description?.manufacturer === undefined ? {} : { manufacturer: description.manufacturer }),
            ...(description?.serial === undefined ? {} : { serial: description.serial }),
            ...(description?.hardwareAddress === undefined
              ? {}
              : { hardwareAddress: description.hardwareAddress }),
            ...(endpoint === undefined ? {} : { endpoint }),
            address: device.address,
          },
          id,
        ),
      openSource: (stream) => new GuardedSource(new RtspSource({ url: stream.url, account, resolve }), gate),
    });
}

/** The control of a camera wherever it is now; the same one as long as it stays there. */
function controlAt(
  serviceUrl: () => string | null,
  account: Account | null,
  parts: CameraParts,
): () => CameraControl | null {
  let at: { readonly url: string; readonly control: CameraControl } | null = null;
  return () => {
    const url = serviceUrl();
    if (url === null) return null;
    if (at?.url !== url)
      at = { url, control: new OnvifControl({ serviceUrl: url, account, reach: reachOf(parts) }) };
    return at.control;
  };
}

function reachOf({ guard }: CameraParts): NetworkGuard["assertReachable"] {
  return (host, signal) => guard.assertReachable(host, signal);
}

/** RTSP goes to the address that the guard let through, never to the name again. */
function addressBy(guard: NetworkGuard): ResolveAddress {
  return async (host, signal) => (await guard.assertReachable(host, signal)).address;
}

/** The configured account, else one that stands in the address. */
function accountOf(config: AccountConfig, address: string): Account | null {
  if (config.username !== undefined) return { username: config.username, password: config.password ?? "" };
  if (/^rtsps?:/.test(address)) {
    const { username, password } = parseRtspAddress(address);
    return username === undefined ? null : { username, password: password ?? "" };
  }
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || url.username === "") return null;
  return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

function withoutAccount(address: string): string {
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return url.href;
}
