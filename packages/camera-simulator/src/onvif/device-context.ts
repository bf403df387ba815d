/** What the ONVIF services know of their camera. */
import type { VideoStream } from "../source/video-stream.ts";
import type { XmlElement } from "./xml.ts";
import type { EventBroker } from "./event-broker.ts";
import type { PtzState } from "./ptz-state.ts";

export interface DeviceContext {
  readonly name: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly username: string | undefined;
  readonly endpointAddress: string;
  readonly main: VideoStream;
  readonly sub: VideoStream;
  readonly rtspPort: number;
  readonly ptz: PtzState;
  readonly events: EventBroker;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
}

export interface OperationInput {
  readonly context: DeviceContext;
  readonly request: XmlElement;
  /** `http://host:port` as the client reaches the device. */
  readonly base: string;
  /** The path the request came to, for subscriptions. */
  readonly path: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Operation name to the inner XML of the SOAP body. A handler may throw SoapFault. */
export type OperationTable = Readonly<Record<string, (input: OperationInput) => string | Promise<string>>>;
