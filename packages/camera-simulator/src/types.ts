import type { CameraFaults } from "./faults/types.ts";
import type { ClipOptions } from "./source/clip-cache.ts";

/** What a camera plays. */
export type SourceOptions =
  /** Any file that ffmpeg reads, converted once into the cache and played in a loop. */
  | {
      readonly kind: "file";
      readonly path: string;
      /** Default 600000: only the start of a longer file is used. */ readonly maxDurationMs?: number;
    }
  /** A live test picture with the current time as a barcode in its top rows; see `readClockBarcode`. */
  | { readonly kind: "clock"; readonly width?: number; readonly height?: number; readonly fps?: number }
  /** A short moving test picture in H.264 or H.265, encoded once and repeated: costs no encoder. */
  | ({ readonly kind: "clip" } & ClipOptions)
  /** A drawn street with walking and driving shapes, for a demo without footage. */
  | { readonly kind: "generated" };

export interface CameraOptions {
  /** Shown in ONVIF scopes and device information. */
  readonly name: string;
  readonly source: SourceOptions;
  /** Without a username everything is open, as on a camera whose owner switched authentication off. */
  readonly username?: string;
  readonly password?: string;
  /** Address to bind; default 127.0.0.1. */
  readonly host?: string;
  /** 0 (default) takes any free port. */
  readonly onvifPort?: number;
  readonly rtspPort?: number;
  /** Answer WS-Discovery probes on the interface `host` (IPv4); default false. */
  readonly discovery?: boolean;
  /** Name of the interface on which IPv6 probes (group ff02::c) are answered; the host is an IPv6 one then. */
  readonly discoveryInterface?: string;
  /** Default: derived from the name. */
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  /** How long an RTSP session over UDP lives without a sign of life; default 60000. */
  readonly rtspSessionTimeoutMs?: number;
}

export interface PtzCommand {
  readonly atMs: number;
  /** `ContinuousMove`, `RelativeMove`, `AbsoluteMove`, `Stop`, `GotoPreset`, `GotoHomePosition`. */
  readonly command: string;
  readonly pan?: number;
  readonly tilt?: number;
  readonly zoom?: number;
  readonly preset?: string;
}

export interface CameraStatistics {
  /** RTSP sessions that play now. */
  readonly playingSessions: number;
  readonly rtspConnections: number;
  /** RTSP connections accepted since the start. */
  readonly rtspConnectionsTotal: number;
  /** Requests whose credentials were present and wrong: what a real camera locks out for. */
  readonly failedSignIns: number;
  /** Access units that slow clients did not get. */
  readonly droppedUnits: number;
  readonly eventSubscriptions: number;
}

/** A running simulated camera. */
export interface SimulatedCamera {
  readonly name: string;
  readonly serial: string;
  /** Device service, e.g. `http://127.0.0.1:40001/onvif/device_service`. No URL holds credentials. */
  readonly onvifUrl: string;
  readonly rtspMainUrl: string;
  readonly rtspSubUrl: string;
  readonly snapshotUrl: string;
  /** WS-Discovery endpoint address, `urn:uuid:...`. */
  readonly endpointAddress: string;
  /** The last 1,000 PTZ commands, oldest first. */
  readonly ptzCommands: readonly PtzCommand[];
  statistics(): CameraStatistics;
  /** Starts or ends motion: sends the event `RuleEngine/CellMotionDetector/Motion` on a change. */
  setMotion(isMotion: boolean): void;
  /** Fault: the picture stands still while packets go on. */
  freeze(on?: boolean): void;
  /** Fault: connections stay open, no packet leaves. */
  stopPackets(on?: boolean): void;
  /** Fault: cuts every RTSP connection. */
  dropClients(): void;
  /** Fault: every request is answered as if the password were wrong. */
  refuseAuth(on?: boolean): void;
  /** Fault switches of pictures, packets and the RTSP server. */
  readonly faults: CameraFaults;
  stop(): Promise<void>;
}

export interface SimulatorOptions {
  /** Folder for converted files. Made when absent. */
  readonly cacheDir: string;
  /** Default 3702 on 239.255.255.250 (WS-Discovery 1.1 §3.1.1). */
  readonly discoveryPort?: number;
  readonly log?: (fields: Record<string, unknown>, message: string) => void;
}
