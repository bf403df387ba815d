import { HuishiError } from "@huishi/kernel";

/** What can go wrong in the field, and what a person does about it. The codes are stable (docs/errors.md). */
export const EDGE_FAULTS = {
  CONFIG_INVALID: "correct the named field in the agent's configuration file and start again",
  CAMERA_UNREACHABLE: "check that the camera has power and network, and that its address is right",
  CAMERA_AUTH_FAILED:
    "correct the camera's username or password in the agent's configuration; only one attempt was made, so that the camera does not lock the account",
  CAMERA_LOCKED_OUT:
    "the camera has locked the account after failed sign-ins (not only ours): wait until it opens it, or unlock it at the camera; nothing is tried until then",
  ADDRESS_OUTSIDE_SITE:
    "add the network to the site's networks if the address is right; until then nothing is sent to it",
  SCAN_REFUSED: "scan networks inside the site's own, at most 1,024 addresses in all",
  CAMERA_UNSUPPORTED: "the camera does not offer this: use what its capabilities list",
  CAMERA_ANSWER_REFUSED:
    "the camera's answer is too large or hostile and was not read: look at what answers there",
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
  CONFIG_REFUSED: "correct the named field in the agent's configuration at the centre",
  CREDENTIAL_REFUSED: "set the camera's account again at the centre",
  CLAIM_REFUSED: "make a new claim code at the centre (they last 15 minutes and work once) and configure it",
  CLAIM_MISSING: "configure `claimCode` with a one-time code from the centre",
  AGENT_REVOKED:
    "an administrator revoked this agent at the centre: it keeps recording, and reports again when it is claimed anew",
  COMMAND_EXPIRED: "give the command again; it was not carried out",
  COMMAND_UNSUPPORTED: "update the agent, or turn on what the command needs in its configuration",
  COMMAND_QUEUE_FULL: "wait until the agent has done what it was asked before",
  REPLY_TOO_LARGE: "ask for less at once",
  SERVER_PIN_MISMATCH: "find out who answers there, and make a new claim text at the centre",
  SERVER_PLAIN_REFUSED:
    "use https with the centre's claim text, or set `allowPlain` if nobody can listen on the way",
  SECRET_NOT_CHANGED: "check the agent's clock and that the centre is reachable by HTTP, and rotate again",
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
  UNIT_UNKNOWN: "write the unit as its UCUM code (docs/sensors.md lists them)",
  UNIT_MISMATCH: "give a unit and a sourceUnit that measure the same thing",
  SENSOR_CONFIG_INVALID: "correct the sensor's configuration; none of the sensors were changed",
  SENSOR_LISTENER_FAILED: "free the port of the sensor listener, or configure another address or port",
  SENSOR_BROKER_UNREACHABLE: "check the site's broker, its address and the account in sensorListeners.broker",
  SENSOR_LISTENER_OPEN:
    "give the sensor listener accounts (MQTT) or a token (HTTP), or let it listen on a loopback address",
  SENSOR_OUT_OF_RANGE: "check the sensor, its mapping and its min and max; the values were not stored",
  SENSOR_SILENT: "check the sensor's power, battery and network",
  SENSOR_FLOODING: "let the sensor send less often; what is above the limit was dropped unread",
  SENSOR_PAYLOAD_INVALID: "check the sensor's messages against the pointers of its mapping",
  SENSOR_PAYLOAD_TOO_LARGE: "let the sensor send messages of at most 16 KiB",
  SENSOR_UNREACHABLE:
    "check that the device has power and network, and that its host, port and unit are right",
  SENSOR_MODBUS_EXCEPTION: "the device refuses the registers: check their table, address and the unit",
  SENSOR_MODBUS_PROTOCOL: "check that what listens at the sensor's address speaks Modbus TCP",
  RECORDING_NONE: "ask for a time at which this agent recorded the camera (`recordings` lists them)",
  RECORDING_RANGE: "ask for at most 15 minutes, from before to",
  UPLOAD_REFUSED: "the upload was given up: ask for the clip again",
  UPLOAD_QUEUE_FULL: "wait until the clips that were asked for before are sent",
  STATUS_PAGE_OPEN: "give the status page a token (`password`), or let it listen on a loopback address",
  STATUS_PAGE_FAILED: "free the port of the status page, or configure another one",
  STATUS_UNAVAILABLE: "start the agent (`systemctl start huishi-edge`), and give it a `statusPage`",
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

/** The camera did not take the account: nothing is tried again until it rested. */
export function isSignInFault(code: string | null): code is "CAMERA_AUTH_FAILED" | "CAMERA_LOCKED_OUT" {
  return code === "CAMERA_AUTH_FAILED" || code === "CAMERA_LOCKED_OUT";
}
