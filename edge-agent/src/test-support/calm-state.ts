import type { AgentState, CameraState } from "../application/agent-state.ts";

export const calmCamera = (camera: Partial<CameraState> = {}): CameraState => ({
  id: "cam-north",
  name: "North gate",
  address: "10.0.0.9:80",
  condition: "online",
  code: null,
  sinceMs: Date.now() - 3_600_000,
  faults: [],
  clockOffsetMs: 40,
  dropped: 0,
  offered: [
    { profile: "main", codec: "h264", width: 1920, height: 1080 },
    { profile: "sub", codec: "h264", width: 640, height: 360 },
  ],
  streams: [
    {
      profiles: ["sub"],
      isFlowing: true,
      lastPictureAtMs: Date.now() - 40,
      fps: 12.5,
      bitsPerSecond: 812_000,
      consumers: ["health", "live"],
      pictures: 4_000,
      bytes: 32_000_000,
      connections: 1,
    },
  ],
  ...camera,
});

/** A state in which nothing is wrong. */
export const calmState = (state: Partial<AgentState> = {}): AgentState => ({
  v: 1,
  atMs: Date.now(),
  startedAtMs: Date.now() - 7_200_000,
  uptimeMs: 7_200_000,
  version: "0.1.0",
  identity: {
    agentId: "agent-1",
    signKeyId: "0123456789abcdef",
    sealKeyId: "fedcba9876543210",
    authoritySha256: null,
  },
  centre: {
    address: "centre.example:8883",
    isConnected: true,
    sinceMs: Date.now() - 600_000,
    isMediaConnected: true,
    mediaQueuedBytes: 0,
  },
  outbox: { depth: 0, oldestAtMs: null, bytes: 65_536, lost: 0 },
  cameras: [calmCamera()],
  mediaDropped: 0,
  recording: { bytes: 12 * 1024 ** 3, maxBytes: 64 * 1024 ** 3, oldestMs: Date.now() - 86_400_000 * 3 },
  sensors: null,
  found: [],
  configuration: { revision: 7, state: "applied" },
  disks: [{ use: "state", freeBytes: 40 * 1024 ** 3, totalBytes: 120 * 1024 ** 3, atMs: Date.now() }],
  clock: { steppedMs: 0, utcOffsetMinutes: 480 },
  process: { pid: 1, residentBytes: 120 * 1024 ** 2, cpuSeconds: 10 },
  ...state,
});
