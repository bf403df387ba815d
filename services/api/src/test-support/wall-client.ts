import {
  type AccessUnit,
  type Change,
  decodeAccessUnit,
  type ServerMessage,
  SOCKET_PATH,
} from "@huishi/contracts";
import { until } from "@huishi/testkit";
import { WebSocket } from "ws";
import type { ApiUnderTest } from "./api-under-test.ts";

/** A wall's side of the socket: keeps all that it was given. */
export class WallClient {
  readonly messages: ServerMessage[] = [];
  readonly units: { channel: number; unit: AccessUnit }[] = [];
  closed: { code: number; reason: string } | null = null;
  /** HTTP status of a refused upgrade. */
  refusedWith: number | null = null;
  readonly #socket: WebSocket;

  constructor(server: ApiUnderTest, options: { origin?: string | null; cookie?: string } = {}) {
    const origin = options.origin === undefined ? server.api.url : options.origin;
    this.#socket = new WebSocket(`${server.api.url.replace("http", "ws")}${SOCKET_PATH}`, {
      headers: { cookie: options.cookie ?? server.cookie },
      ...(origin === null ? {} : { origin }),
    });
    this.#socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary)
        this.units.push({ channel: data.readUInt16BE(0), unit: decodeAccessUnit(data.subarray(2)) });
      else this.messages.push(JSON.parse(data.toString()) as ServerMessage);
    });
    this.#socket.on("unexpected-response", (_request, response) => {
      this.refusedWith = response.statusCode ?? 0;
      response.resume();
    });
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** Opens, says hello and waits for the welcome. */
  static async join(server: ApiUnderTest, cursor?: string): Promise<WallClient> {
    const client = new WallClient(server);
    await until("the socket opens", () => client.isOpen);
    client.send({ t: "hello", ...(cursor === undefined ? {} : { cursor }) });
    await until("welcome", () => client.last("welcome"));
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  last<T extends ServerMessage["t"]>(t: T): Extract<ServerMessage, { t: T }> | undefined {
    return this.messages.findLast((message): message is Extract<ServerMessage, { t: T }> => message.t === t);
  }

  changes(): Change[] {
    return this.messages.flatMap((message) => (message.t === "changes" ? message.changes : []));
  }

  alarmIds(): Set<string> {
    return new Set(this.changes().flatMap((change) => (change.kind === "alarm" ? [change.alarm.id] : [])));
  }

  /** The newest cursor that it was given. */
  cursor(): string {
    return this.messages.reduce((cursor, message) => ("cursor" in message ? message.cursor : cursor), "");
  }

  /** Stops reading, as a sleeping browser does. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async close(): Promise<void> {
    this.#socket.terminate();
    await until("the socket closes", () => this.closed);
  }
}
