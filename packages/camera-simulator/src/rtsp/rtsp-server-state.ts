/** What the connections of one RTSP server share. */
import type { DigestAuthenticator } from "../http/digest-auth.ts";
import type { FaultState } from "../faults/fault-state.ts";
import type { Random } from "../faults/random.ts";
import type { VideoStream } from "../source/video-stream.ts";
import type { RtspSession } from "./rtsp-session.ts";

export interface RtspServerOptions {
  readonly name: string;
  readonly streams: ReadonlyMap<string, VideoStream>;
  readonly host: string;
  readonly port: number;
  /** Undefined: everything is open. */
  readonly authenticator: DigestAuthenticator | undefined;
  readonly sessionTimeoutMs: number;
}

export interface RtspServerState {
  readonly options: RtspServerOptions;
  readonly sessions: Map<string, RtspSession>;
  readonly random32: () => number;
  readonly faults: FaultState;
  /** The same for every run, so that a fault can be repeated. */
  readonly faultRandom: Random;
  isMuted: boolean;
  refusesAll: boolean;
  failedSignIns: number;
  droppedUnits: number;
}
