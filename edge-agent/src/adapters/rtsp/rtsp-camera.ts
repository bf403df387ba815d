import type { CameraDevice } from "../../application/ports.ts";
import type { CameraDescription } from "../../domain/camera-description.ts";
import { EdgeError } from "../../domain/faults.ts";
import { parseRtspAddress, shortAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "./digest.ts";
import { describeStream, type ResolveAddress } from "./rtsp-probe.ts";
import { readVideo } from "./sdp.ts";

/** A camera that is known by its RTSP addresses alone. */
export class RtspCamera implements CameraDevice {
  readonly address: string;
  readonly #urls: readonly string[];
  readonly #account: Account | null;

  readonly #resolve: ResolveAddress | undefined;

  constructor(options: {
    readonly main: string;
    readonly sub?: string;
    readonly account: Account | null;
    readonly resolve?: ResolveAddress;
  }) {
    this.#resolve = options.resolve;
    this.address = shortAddress(options.main);
    this.#urls = [options.main, ...(options.sub === undefined ? [] : [options.sub])].map(
      (url) => parseRtspAddress(url).url,
    );
    this.#account = options.account;
  }

  async describe(signal: AbortSignal): Promise<CameraDescription> {
    const streams = [];
    for (const [i, url] of this.#urls.entries()) {
      const stream = readVideo(await this.#describe(url, signal), url);
      if (stream) streams.push({ ...stream, profile: i === 0 ? ("main" as const) : ("sub" as const) });
    }
    if (streams.length === 0) throw new EdgeError("RTSP_PROTOCOL", `${this.address} offers no video`);
    const { host, port } = parseRtspAddress(this.#urls[0] as string);
    return { address: `${host}:${port}`, streams, ptz: false, hasMotionEvents: false };
  }

  async checkHealth(_description: CameraDescription, signal: AbortSignal): Promise<Record<string, never>> {
    await this.#describe(this.#urls.at(-1) as string, signal);
    return {};
  }

  #describe(url: string, signal: AbortSignal): Promise<string> {
    return describeStream(url, this.#account, { signal, resolve: this.#resolve });
  }

  async watchMotion(): Promise<void> {
    throw new EdgeError("CAMERA_PROTOCOL", "RTSP carries no motion events");
  }
}
