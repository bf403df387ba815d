import { HuishiError } from "@huishi/kernel";

/** What can go wrong in the field, and what a person does about it. The codes are stable (docs/errors.md). */
export const EDGE_FAULTS = {
  CONFIG_INVALID: "correct the named field in the agent's configuration file and start again",
  CAMERA_UNREACHABLE: "check that the camera has power and network, and that its address is right",
  CAMERA_AUTH_FAILED:
    "correct the camera's username or password in the agent's configuration; only one attempt was made, so that the camera does not lock the account",
  CAMERA_NO_H264: "set the camera (or one of its profiles) to H.264",
  CAMERA_CODEC: "set the camera (or one of its profiles) to H.264 or H.265",
  CAMERA_PROTOCOL: "check that the address is the camera's ONVIF device service; update its firmware",
  RTSP_URL_REFUSED: "give an rtsp:// or rtsps:// address of the camera itself",
  RTSP_PROTOCOL: "check that the address is an RTSP stream of the camera",
  RTSP_NOT_FOUND: "the camera knows no such stream: check the path of its RTSP address",
  RTSP_REDIRECT_REFUSED:
    "the camera sends us to another address, which is not followed: configure that address itself if it is right",
  RTSP_NO_FRAMES: "the camera accepts the connection but sends no picture: restart it or check its encoder",
  RTSP_STREAM_ENDED: "the camera closed the stream; it is opened again",
  FFMPEG_MISSING: "install ffmpeg (Debian: apt-get install ffmpeg)",
  CLAIM_REFUSED: "make a new claim code at the centre (they last 15 minutes and work once) and configure it",
  CLAIM_MISSING: "configure `claimCode` with a one-time code from the centre",
  AGENT_REFUSED:
    "the centre does not accept this agent: delete identity.json in its state folder and claim it anew",
  SERVER_CERT_UNTRUSTED:
    "give the agent the certificate authority of the centre (`mqttCaFile`, HUISHI_MQTT_CA); find out who answers there if it has it",
  SERVER_CERT_EXPIRED: "renew the centre's certificate, and check this machine's clock",
  SERVER_CERT_NAME: "reach the centre by a name that stands in its certificate, or have this one added to it",
  SERVER_UNREACHABLE: "check the network and the address of the centre; the agent keeps trying",
  DISK_FULL: "free space in the agent's state folder; events wait in memory until it can be written",
  OUTBOX_FULL:
    "free the state folder's disk: until then the lowest severities are given up, counted and told in a gap event",
  EVENT_TOO_LARGE: "report it: no event may be larger than 64 KiB; this one was not stored",
  STATE_IN_USE: "stop the other agent that runs with this state folder, or choose another folder",
  STATE_DIR: "make the agent's state folder writable for its user",
} as const;
export type EdgeFaultCode = keyof typeof EDGE_FAULTS;

/** A fault with a stable code; its message ends with what to do. It never holds a password or a URL with one. */
export class EdgeError extends HuishiError {
  declare readonly code: EdgeFaultCode;

  constructor(
    code: EdgeFaultCode,
    what: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(code, `${what}: ${EDGE_FAULTS[code]}`, options);
  }
}

/** The code of a fault of ours; null for anything else. */
export function edgeFaultCode(thrown: unknown): EdgeFaultCode | null {
  return thrown instanceof EdgeError ? thrown.code : null;
}
