import type { Clock } from "@huishi/kernel";
import type { CameraDevice, CameraSideEvent } from "../../application/ports.ts";
import type { CameraDescription, OfferedStream } from "../../domain/camera-description.ts";
import { EdgeError, edgeFaultCode } from "../../domain/faults.ts";
import { onHost } from "../../domain/rtsp-address.ts";
import type { Account } from "../rtsp/digest.ts";
import { describeStream, type ResolveAddress } from "../rtsp/rtsp-probe.ts";
import { at, elementText, numberOf, textOf } from "./foreign-tree.ts";
import { watchEvents } from "./motion-events.ts";
import { OnvifSession, type OnvifTarget, readProfiles, readServices } from "./onvif-session.ts";
import { readCapabilities } from "./read-capabilities.ts";

const MAX_PROFILES = 16;

/** A camera behind an ONVIF device service (ONVIF Core, Media 1 and 2, Event). */
export class OnvifCamera implements CameraDevice {
  readonly address: string;
  readonly #url: string;
  readonly #account: Account | null;
  readonly #clock: Clock;
  readonly #reach: OnvifTarget["reach"];
  #clockOffsetMs = 0;

  constructor(options: {
    readonly serviceUrl: string;
    readonly account: Account | null;
    readonly clock: Clock;
    /** The guard of the site's networks: who is spoken to. */
    readonly reach: OnvifTarget["reach"];
  }) {
    this.#url = options.serviceUrl;
    this.#reach = options.reach;
    this.address = new URL(options.serviceUrl).host;
    this.#account = options.account;
    this.#clock = options.clock;
  }

  async describe(signal: AbortSignal): Promise<CameraDescription> {
    const session = await OnvifSession.open(this.#target(this.#account), signal);
    try {
      const clockOffsetMs = await this.#readClock(session);
      // The one sign-in: nothing else is asked before it is known to be good.
      const information = await session.call((client, done) => client.getDeviceInformation(done));
      await readServices(session);
      const profiles = await readProfiles(session);
      const { streams, ptz, token } = await this.#readStreams(session, profiles);
      const name = await readName(session);
      const hardwareAddress = await readHardwareAddress(session);
      const capabilities = await readCapabilities(session, { token, hasPtz: ptz });
      return {
        address: this.address,
        ...textFields({
          manufacturer: elementText(information.xml, "Manufacturer"),
          model: elementText(information.xml, "Model"),
          firmware: elementText(information.xml, "FirmwareVersion"),
          serial: elementText(information.xml, "SerialNumber"),
          name,
          hardwareAddress,
        }),
        streams,
        ptz: ptz && session.client.uri?.["ptz"] !== undefined,
        hasMotionEvents: session.client.uri?.["events"] !== undefined,
        capabilities,
        ...(clockOffsetMs === null ? {} : { clockOffsetMs }),
      };
    } finally {
      session.close();
    }
  }

  async checkHealth(
    description: CameraDescription,
    signal: AbortSignal,
  ): Promise<{ clockOffsetMs?: number }> {
    const session = await OnvifSession.open(this.#target(null), signal);
    let clockOffsetMs: number | null;
    try {
      clockOffsetMs = await this.#readClock(session);
    } finally {
      session.close();
    }
    const stream = description.streams.at(-1);
    const resolve: ResolveAddress = async (host, s) => (await this.#reach(host, s)).address;
    if (stream) await describeStream(stream.url, this.#account, { signal, resolve });
    return clockOffsetMs === null ? {} : { clockOffsetMs };
  }

  async watchMotion(
    onMotion: (isActive: boolean, atMs: number) => void,
    signal: AbortSignal,
    onEvent?: (event: CameraSideEvent) => void,
  ): Promise<void> {
    // It outlives the signal by a farewell: a subscription that is not given up is missed at the device.
    const farewell = new AbortController();
    const onAbort = (): void => farewell.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let session: OnvifSession | undefined;
    try {
      session = await OnvifSession.open(this.#target(this.#account), farewell.signal);
      await readServices(session);
      signal.throwIfAborted();
      signal.removeEventListener("abort", onAbort);
      await watchEvents(session, signal, {
        onMotion: (isActive, deviceAtMs) => onMotion(isActive, this.#agentTime(deviceAtMs)),
        onEvent: ({ deviceAtMs, ...event }) => onEvent?.({ ...event, atMs: this.#agentTime(deviceAtMs) }),
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      session?.close();
    }
  }

  /** A device time that is far off even after correction is worth nothing. */
  #agentTime(deviceAtMs: number | null): number {
    const nowMs = this.#clock.nowMs();
    const atMs = deviceAtMs === null ? nowMs : deviceAtMs - this.#clockOffsetMs;
    return Math.abs(nowMs - atMs) < 60_000 ? Math.min(atMs, nowMs) : nowMs;
  }

  #target(account: Account | null): OnvifTarget {
    return { serviceUrl: this.#url, account, reach: this.#reach };
  }

  /** GetSystemDateAndTime needs no sign-in (ONVIF Core §8.3.6). Null where the device keeps its time to itself. */
  async #readClock(session: OnvifSession): Promise<number | null> {
    const askedAtMs = this.#clock.nowMs();
    let data: unknown;
    try {
      ({ data } = await session.call((client, done) => client.getSystemDateAndTime(done)));
    } catch (error) {
      const code = edgeFaultCode(error);
      if (code === "CAMERA_PROTOCOL" || code === "CAMERA_UNSUPPORTED") return null;
      throw error;
    }
    const deviceMs = data instanceof Date ? data.getTime() : Number.NaN;
    if (!Number.isFinite(deviceMs)) return null;
    const answeredAtMs = this.#clock.nowMs();
    // The device tells whole seconds: an offset within one is none.
    const offsetMs = Math.round(deviceMs + 500 - (askedAtMs + answeredAtMs) / 2);
    this.#clockOffsetMs = Math.abs(offsetMs) <= 1_000 ? 0 : offsetMs;
    return this.#clockOffsetMs;
  }

  async #readStreams(
    session: OnvifSession,
    profiles: readonly unknown[],
  ): Promise<{ streams: OfferedStream[]; ptz: boolean; token: string | undefined }> {
    const streams = new Map<string, OfferedStream>();
    let ptz = false;
    let first: string | undefined;
    let turned: string | undefined;
    for (const profile of profiles.slice(0, MAX_PROFILES)) {
      const encoder = at(profile, "videoEncoderConfiguration");
      const token = textOf(at(profile, "$", "token"));
      const isTurned = at(profile, "PTZConfiguration") !== undefined;
      ptz ||= isTurned;
      first ??= token;
      if (isTurned) turned ??= token;
      if (encoder === undefined || token === undefined) continue;
      const answer = await session.call((client, done) =>
        client.getStreamUri({ protocol: "RTSP", profileToken: token }, done),
      );
      const uri = textOf(at(answer.data, "uri"));
      if (uri === undefined) continue;
      const url = onHost(uri, new URL(this.#url).hostname.replace(/^\[|\]$/g, ""));
      if (!streams.has(url)) streams.set(url, offeredStream(url, encoder));
    }
    if (streams.size === 0)
      throw new EdgeError("CAMERA_NO_H264", `the camera at ${this.address} has no video profile`);
    return { streams: [...streams.values()], ptz, token: turned ?? first };
  }
}

function offeredStream(url: string, encoder: unknown): OfferedStream {
  const encoding = (textOf(at(encoder, "encoding")) ?? "").toUpperCase();
  const fps = numberOf(at(encoder, "rateControl", "frameRateLimit"));
  return {
    url,
    codec: encoding === "H264" ? "h264" : encoding === "H265" || encoding === "HEVC" ? "h265" : "unknown",
    width: numberOf(at(encoder, "resolution", "width")),
    height: numberOf(at(encoder, "resolution", "height")),
    ...(fps > 0 ? { fps } : {}),
  };
}

/** The name a person gave the camera stands in its scopes (ONVIF Core §7.3.2.2). */
async function readName(session: OnvifSession): Promise<string | undefined> {
  const answer = await session.call((client, done) => client.getScopes(done)).catch(() => null);
  const scope = /onvif:\/\/www\.onvif\.org\/name\/([^<\s]+)/i.exec(answer?.xml ?? "")?.[1];
  if (scope === undefined) return undefined;
  try {
    return decodeURIComponent(scope);
  } catch {
    return scope;
  }
}

async function readHardwareAddress(session: OnvifSession): Promise<string | undefined> {
  const answer = await session.call((client, done) => client.getNetworkInterfaces(done)).catch(() => null);
  return elementText(answer?.xml ?? "", "HwAddress");
}

function textFields<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ""),
  ) as { [K in keyof T]?: string };
}
