import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { HuishiError, messageOf } from "@huishi/kernel";
import { connectFields, type NatsCredentials } from "./nats-credentials.ts";
import { type NatsFrame, NatsParser } from "./nats-parser.ts";

export interface NatsConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Trust and own certificate; `null` speaks without TLS. */
  readonly tls: Pick<ConnectionOptions, "ca" | "cert" | "key"> | null;
  readonly credentials: NatsCredentials;
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** The server refuses something of a connection that goes on, a subject say. */
  readonly onRefused: (reason: string) => void;
}

export type NatsListener = (payload: Buffer, subject: string) => void;

const CONNECT_MS = 5_000;
const PING_MS = 3_000;
/** Pings without an answer after which the server is taken for gone. */
const MAX_UNANSWERED = 2;

interface ServerInfo {
  readonly nonce?: string;
  readonly tls_required?: boolean;
  readonly tls_available?: boolean;
}

/**
 * One connection to a NATS server, core protocol only, no client library (docs/decisions/0020-nats-media-bus.md). `run`
 * lives as long as the connection and fails plainly; whoever runs it connects again. Subscriptions outlive connections.
 * What is published while there is none is lost, which the bus is made for.
 */
export class NatsConnection {
  readonly name = "NATS connection";
  readonly #options: NatsConnectionOptions;
  readonly #listeners = new Map<number, { readonly subject: string; readonly listener: NatsListener }>();
  #lastSid = 0;
  #socket: Socket | null = null;
  #isCorked = false;
  #onConnected: () => void = () => undefined;

  constructor(options: NatsConnectionOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#socket !== null;
  }

  /** Bytes that the network has not taken yet. */
  get backlogBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Called after each connect, when the subscriptions stand. One listener. */
  onConnected(listener: () => void): void {
    this.#onConnected = listener;
  }

  /** Sends a message; false when there is no connection. Subjects are ours and hold no space. */
  publish(subject: string, payload: Uint8Array): boolean {
    if (!this.#socket) return false;
    this.#write(`PUB ${subject} ${payload.byteLength}\r\n`, payload);
    return true;
  }

  /** The listener is called synchronously and must not throw or wait. */
  subscribe(subject: string, listener: NatsListener): () => void {
    const sid = (this.#lastSid += 1);
    this.#listeners.set(sid, { subject, listener });
    if (this.#socket) this.#write(`SUB ${subject} ${sid}\r\n`);
    return () => {
      if (this.#listeners.delete(sid) && this.#socket) this.#write(`UNSUB ${sid}\r\n`);
    };
  }

  /**
   * Connects and stays. Errors: NATS_UNREACHABLE, NATS_REFUSED, NATS_TLS_MISSING, NATS_PROTOCOL, NATS_LOST.
   */
  async run(signal: AbortSignal): Promise<void> {
    const parser = new NatsParser();
    const opening = new AbortController();
    const limit = setTimeout(() => opening.abort(new Error(`no answer within ${CONNECT_MS} ms`)), CONNECT_MS);
    const opened = AbortSignal.any([signal, opening.signal]);
    let socket: Socket | null = null;
    try {
      socket = await this.#open(opened, parser);
      clearTimeout(limit);
      this.#socket = socket;
      for (const [sid, { subject }] of this.#listeners) this.#write(`SUB ${subject} ${sid}\r\n`);
      this.#onConnected();
      await this.#stay(socket, parser, signal);
    } catch (error) {
      if (error instanceof HuishiError) throw error;
      throw new HuishiError("NATS_UNREACHABLE", `the NATS server does not answer: ${messageOf(error)}`);
    } finally {
      clearTimeout(limit);
      this.#socket = null;
      await endOf(socket, signal.aborted);
    }
  }

  /** TCP, INFO, TLS, CONNECT, and the answer to our first PING. */
  async #open(signal: AbortSignal, parser: NatsParser): Promise<Socket> {
    const { host, port, tls, name, credentials } = this.#options;
    const plain = connectTcp({ host, port, noDelay: true });
    // Each wait has a listener of its own; between them an error ends the next wait.
    plain.on("error", () => undefined);
    try {
      const info = JSON.parse(await nextInfo(plain, parser, signal)) as ServerInfo;
      const socket = await this.#secured(plain, info, signal);
      socket.write(
        `CONNECT ${JSON.stringify({
          verbose: false,
          pedantic: false,
          tls_required: tls !== null,
          name,
          lang: "huishi",
          version: "1",
          protocol: 1,
          echo: false,
          ...connectFields(credentials, info.nonce),
        })}\r\nPING\r\n`,
      );
      await nextFrame(socket, parser, signal, (frame) => {
        if (frame.op === "ERR")
          throw new HuishiError("NATS_REFUSED", `the NATS server refuses the connection: ${frame.reason}`);
        return frame.op === "PONG" || null;
      });
      return socket;
    } catch (error) {
      plain.destroy();
      throw error;
    }
  }

  async #secured(plain: Socket, info: ServerInfo, signal: AbortSignal): Promise<Socket> {
    const { host, tls } = this.#options;
    const isOffered = info.tls_required === true || info.tls_available === true;
    if (tls === null) {
      if (info.tls_required !== true) return plain;
      throw new HuishiError("NATS_REFUSED", "the NATS server wants TLS: give tls:// in HUISHI_NATS_URL");
    }
    if (!isOffered)
      throw new HuishiError("NATS_TLS_MISSING", "the NATS server offers no TLS, and tls:// was asked for");
    // A server name may be no IP address (RFC 6066 §3); the certificate is checked against `host` all the same.
    const secure = connectTls({
      ...tls,
      socket: plain,
      host,
      ...(isAddress(host) ? {} : { servername: host }),
    });
    secure.on("error", () => undefined);
    await eventOf(secure, "secureConnect", signal);
    return secure;
  }

  #stay(socket: Socket, parser: NatsParser, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let unanswered = 0;
      const lost = (reason: string): void =>
        done(() =>
          reject(new HuishiError("NATS_LOST", `the connection to the NATS server broke: ${reason}`)),
        );
      const ping = setInterval(() => {
        if (unanswered >= MAX_UNANSWERED) lost("it does not answer");
        else {
          unanswered += 1;
          this.#write("PING\r\n");
        }
      }, PING_MS);
      const onAbort = (): void => done(resolve);
      const done = (settle: () => void): void => {
        clearInterval(ping);
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      socket.on("error", (error) => lost(error.message));
      socket.on("close", () => lost("the server closed it"));
      socket.on("data", (chunk: Buffer) => {
        try {
          for (const frame of parser.push(chunk)) {
            if (frame.op === "PONG") unanswered = 0;
            else this.#take(frame);
          }
        } catch (error) {
          done(() => reject(error as Error));
        }
      });
    });
  }

  #take(frame: NatsFrame): void {
    if (frame.op === "MSG") this.#listeners.get(frame.sid)?.listener(frame.payload, frame.subject);
    else if (frame.op === "PING") this.#write("PONG\r\n");
    else if (frame.op === "ERR") this.#options.onRefused(frame.reason);
  }

  /** Everything that is written within one turn of the event loop goes out as one. */
  #write(line: string, payload?: Uint8Array): void {
    const socket = this.#socket;
    if (!socket) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      queueMicrotask(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    socket.write(line, "latin1");
    if (!payload) return;
    socket.write(payload);
    socket.write("\r\n", "latin1");
  }
}

/** A connection that is ended on purpose takes what was written along, for a moment at most. */
async function endOf(socket: Socket | null, isOnPurpose: boolean): Promise<void> {
  if (!socket) return;
  if (isOnPurpose && !socket.destroyed) {
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, 500);
      socket.end(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }
  socket.destroy();
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}

function nextInfo(socket: Socket, parser: NatsParser, signal: AbortSignal): Promise<string> {
  return nextFrame(socket, parser, signal, (frame) => (frame.op === "INFO" ? frame.info : null));
}

/** What `pick` makes of the first frame that it wants. What comes behind that frame is not lost: nothing does. */
function nextFrame<T>(
  socket: Socket,
  parser: NatsParser,
  signal: AbortSignal,
  pick: (frame: NatsFrame) => T | null,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      socket.off("data", onData).off("error", onError).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      finish();
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error("the server closed the connection")));
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const onData = (chunk: Buffer): void => {
      try {
        for (const frame of parser.push(chunk)) {
          const picked = pick(frame);
          if (picked !== null) settle(() => resolve(picked));
        }
      } catch (error) {
        settle(() => reject(error as Error));
      }
    };
    socket.on("data", onData).on("error", onError).on("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function eventOf(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      socket.off(event, onEvent).off("error", onError).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      finish();
    };
    const onEvent = (): void => settle(resolve);
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error("the server closed the connection")));
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    socket.on(event, onEvent).on("error", onError).on("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
