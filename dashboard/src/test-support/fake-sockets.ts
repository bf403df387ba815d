/** The WebSocket side of the fake server: hello, watch, ping, media and scenes. */
import {
  type Change,
  type ClientMessage,
  encodeAccessUnit,
  type SceneFrame,
  type ServerMessage,
  type Watch,
} from "@huishi/contracts";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clip } from "./clip.ts";

interface Client {
  readonly socket: WebSocket;
  watches: readonly Watch[];
}

const SCENES_EVERY = 5;

export class FakeSockets {
  /** Cameras that send nothing. */
  readonly silent = new Set<string>();
  /** Pictures are this late. */
  delayMs = 0;
  /** The boxes of a camera at a time; null for none. */
  sceneOf: ((cameraId: string, capturedAtMs: number) => SceneFrame | null) | null = null;
  /** Cursors that clients said hello with. */
  readonly hellos: (string | null)[] = [];
  /** New sockets are refused. */
  refuses = false;
  /** Whether a cursor is still known. */
  resumes = true;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #clip: Clip;
  readonly #nowMs: () => number;
  readonly #clients = new Set<Client>();
  readonly #timer: ReturnType<typeof setInterval>;
  #sequence = 0;
  #unit = 0;

  constructor(clip: Clip, nowMs: () => number) {
    this.#clip = clip;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => this.#play(), 1_000 / clip.fps);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const client: Client = { socket: webSocket, watches: [] };
      this.#clients.add(client);
      webSocket.on("message", (data: Buffer) =>
        this.#receive(client, JSON.parse(data.toString()) as ClientMessage),
      );
      webSocket.on("close", () => this.#clients.delete(client));
    });
  }

  /** What clients watch now. */
  get watches(): readonly Watch[] {
    return [...this.#clients].flatMap((client) => client.watches);
  }

  change(changes: Change[]): void {
    this.#sequence += 1;
    for (const client of this.#clients) send(client, { t: "changes", cursor: this.#cursor, changes });
  }

  /** Cuts every socket, as a network would. */
  cut(): void {
    for (const { socket } of this.#clients) socket.terminate();
  }

  /** Ends every socket as the server does with a code. */
  end(code: number): void {
    for (const { socket } of this.#clients) socket.close(code);
  }

  close(): void {
    clearInterval(this.#timer);
    this.cut();
    this.#server.close();
  }

  get #cursor(): string {
    return `1-${String(this.#sequence)}`;
  }

  #receive(client: Client, message: ClientMessage): void {
    const serverTimeMs = Math.round(this.#nowMs());
    if (message.t === "hello") {
      this.hellos.push(message.cursor ?? null);
      const resumed = message.cursor !== undefined && this.resumes;
      send(client, { t: "welcome", serverTimeMs, cursor: this.#cursor, resumed });
    } else if (message.t === "ping") send(client, { t: "pong", id: message.id, serverTimeMs });
    else {
      client.watches = message.watches;
      const channels = message.watches.map((watch, channel) => ({ channel, ...watch }));
      send(client, { t: "watching", channels, refused: [] });
      this.#sendGroup(client);
    }
  }

  /** A new viewer is first given the current group of pictures. */
  #sendGroup(client: Client): void {
    const { units } = this.#clip;
    let start = this.#unit;
    while (start > 0 && !units[start % units.length]?.keyframe) start -= 1;
    for (let unit = start; unit < this.#unit; unit++) this.#sendUnit(client, unit);
  }

  #play(): void {
    for (const client of this.#clients) this.#sendUnit(client, this.#unit);
    if (this.#unit % SCENES_EVERY === 0 && this.sceneOf) {
      const capturedAtMs = Math.round(this.#nowMs() - this.delayMs);
      for (const client of this.#clients) {
        for (const { cameraId } of client.watches) {
          const scene = this.silent.has(cameraId) ? null : this.sceneOf(cameraId, capturedAtMs);
          if (scene) send(client, { t: "scene", scene });
        }
      }
    }
    this.#unit += 1;
  }

  #sendUnit(client: Client, unitNumber: number): void {
    const { units, fps } = this.#clip;
    const unit = units[unitNumber % units.length];
    if (!unit) return;
    const ageMs = ((this.#unit - unitNumber) * 1_000) / fps;
    const message = encodeAccessUnit({
      codec: "h264",
      keyframe: unit.keyframe,
      discontinuity: false,
      unitNumber,
      capturedAtMs: this.#nowMs() - this.delayMs - ageMs,
      ptsMs: (unitNumber * 1_000) / fps,
      data: unit.data,
    });
    client.watches.forEach(({ cameraId }, channel) => {
      if (this.silent.has(cameraId)) return;
      const frame = Buffer.alloc(2 + message.byteLength);
      frame.writeUInt16BE(channel, 0);
      frame.set(message, 2);
      client.socket.send(frame);
    });
  }
}

function send(client: Client, message: ServerMessage): void {
  client.socket.send(JSON.stringify(message));
}
