/** One RTSP connection: reads requests, answers them in order, feeds its sessions. */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { VideoStream } from "../source/video-stream.ts";
import { steadyNowMs } from "../source/steady-time.ts";
import { InterleavedTransport, type RtpTransport, UdpTransport } from "./rtp-transport.ts";
import { type InterleavedPacket, RtspParser, type RtspRequest, chooseTransport } from "./rtsp-parser.ts";
import { RtspSession } from "./rtsp-session.ts";
import type { RtspServerState } from "./rtsp-server-state.ts";
import { MAX_SESSIONS } from "./rtsp-limits.ts";
import { TRACK, buildSdp } from "./sdp.ts";
import { judgeSignIn } from "../faults/sign-in.ts";
import { SlowWriter } from "../faults/slow-writer.ts";

const PUBLIC_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN";
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  301: "Moved Permanently",
  302: "Moved Temporarily",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  406: "Not Acceptable",
  453: "Not Enough Bandwidth",
  454: "Session Not Found",
  455: "Method Not Valid in This State",
  461: "Unsupported Transport",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};
/** Requests that wait for an answer on one connection; a client that sends more is not one. */
const MAX_WAITING_REQUESTS = 32;
/** How long DESCRIBE waits for the first picture of a source that has just started. */
const FIRST_PICTURE_WAIT_MS = 5000;

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Runs after the answer has been written. */
  readonly afterwards?: () => void;
}

export class RtspConnection {
  lastRequestMs = steadyNowMs();
  readonly #socket: Socket;
  readonly #state: RtspServerState;
  readonly #parser = new RtspParser();
  readonly #ownSessions = new Set<RtspSession>();
  #work: Promise<void> = Promise.resolve();
  #waitingRequests = 0;
  #slowWriter: SlowWriter | undefined;

  constructor(socket: Socket, state: RtspServerState, onClose: () => void) {
    this.#socket = socket;
    this.#state = state;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#slowWriter?.stop();
      for (const session of this.#ownSessions) if (session.transport.endsWithConnection) this.#end(session);
      onClose();
    });
  }

  get hasSession(): boolean {
    return this.#ownSessions.size > 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const { answers } = this.#state.faults.server;
    if (answers === "silent") return;
    if (answers === "endless_header") return this.#writer.endlessHeader();
    try {
      for (const message of this.#parser.push(chunk)) {
        if (message.kind === "interleaved") this.#receiveInterleaved(message);
        else this.#enqueue(message);
      }
    } catch {
      this.#socket.end("RTSP/1.0 400 Bad Request\r\nConnection: close\r\n\r\n");
      this.#socket.removeAllListeners("data");
      this.#socket.resume();
      setTimeout(() => this.#socket.destroy(), 1000).unref();
    }
  }

  get #writer(): SlowWriter {
    this.#slowWriter ??= new SlowWriter(this.#socket);
    return this.#slowWriter;
  }

  /** RTCP of the client: a sign of life. */
  #receiveInterleaved(_packet: InterleavedPacket): void {
    for (const session of this.#ownSessions) session.lastSeenMs = steadyNowMs();
  }

  #enqueue(request: RtspRequest): void {
    this.lastRequestMs = steadyNowMs();
    this.#waitingRequests += 1;
    if (this.#waitingRequests > MAX_WAITING_REQUESTS) return this.destroy();
    this.#work = this.#work.then(async () => {
      const answer = await this.#answer(request).catch((): Answer => ({ status: 500 }));
      const isIgnored = request.method === "PLAY" && this.#state.faults.server.answers === "half_open";
      if (!isIgnored) this.#write(request, answer);
      this.#waitingRequests -= 1;
    });
  }

  #write(request: RtspRequest, { status, headers = {}, body = "", afterwards }: Answer): void {
    if (!this.#socket.writable) return;
    const lines = [
      `RTSP/1.0 ${status} ${REASONS[status] ?? "Error"}`,
      `CSeq: ${cseqOf(request)}`,
      "Server: huishi-simulator",
    ];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    const text = `${lines.join("\r\n")}\r\n\r\n${body}`;
    if (this.#state.faults.server.answers === "drip") this.#writer.drip(text);
    else this.#socket.write(text);
    afterwards?.();
  }

  async #answer(request: RtspRequest): Promise<Answer> {
    if (request.headers.has("require"))
      return { status: 501, headers: { Unsupported: (request.headers.get("require") ?? "").slice(0, 100) } };
    if (request.method === "OPTIONS") {
      this.#findSession(request);
      return { status: 200, headers: { Public: PUBLIC_METHODS } };
    }
    const refusal = this.#authenticate(request);
    if (refusal) return refusal;
    switch (request.method) {
      case "DESCRIBE":
        return await this.#describe(request);
      case "SETUP":
        return await this.#setup(request);
      case "PLAY":
      case "PAUSE":
      case "GET_PARAMETER":
      case "SET_PARAMETER":
      case "TEARDOWN":
        return this.#control(request);
      default:
        return { status: 501, headers: { Public: PUBLIC_METHODS } };
    }
  }

  #authenticate(request: RtspRequest): Answer | undefined {
    const { outcome, challenge } = judgeSignIn(
      this.#state,
      request.headers.get("authorization"),
      request.method,
    );
    if (outcome === "accepted") return undefined;
    if (outcome === "locked") return { status: 403 };
    if (outcome === "wrong") this.#state.failedSignIns += 1;
    return { status: 401, headers: { "WWW-Authenticate": challenge } };
  }

  async #describe(request: RtspRequest): Promise<Answer> {
    const { redirect, contentBase, control } = this.#state.faults.server;
    if (redirect) return { status: redirect.status, headers: { Location: redirect.location } };
    const found = this.#findStream(request.uri);
    if (!found) return { status: 404 };
    const accept = request.headers.get("accept");
    if (accept && !/application\/sdp|\*\/\*/i.test(accept)) return { status: 406 };
    await waitAtMost(found.stream.ready(), FIRST_PICTURE_WAIT_MS);
    const description = found.stream.description;
    if (!description) return { status: 503 };
    const body = buildSdp(
      description,
      addressOf(this.#socket.localAddress),
      this.#state.options.name,
      control,
    );
    return {
      status: 200,
      headers: { "Content-Base": contentBase ?? `${found.base}/`, "Content-Type": "application/sdp" },
      body,
    };
  }

  async #setup(request: RtspRequest): Promise<Answer> {
    const found = this.#findStream(request.uri);
    if (!found) return { status: 404 };
    if (request.headers.has("session")) return { status: 455 }; // one track a session
    if (this.#state.sessions.size >= MAX_SESSIONS) return { status: 453 };
    const choice = chooseTransport(request.headers.get("transport"), this.#ownSessions.size * 2);
    if (!choice || choice.kind === this.#state.faults.server.refusesTransport) return { status: 461 };
    const onAlive = (): void => {
      const alive = this.#state.sessions.get(id);
      if (alive) alive.lastSeenMs = steadyNowMs();
    };
    const id = randomBytes(8).toString("hex");
    const transport: RtpTransport =
      choice.kind === "tcp"
        ? new InterleavedTransport(this.#socket, choice)
        : await UdpTransport.open(
            addressOf(this.#socket.localAddress),
            addressOf(this.#socket.remoteAddress),
            choice,
            onAlive,
          );
    const session = new RtspSession({
      id,
      stream: found.stream,
      transport,
      random32: this.#state.random32,
      isMuted: () => this.#state.isMuted,
      onDrop: () => (this.#state.droppedUnits += 1),
      faults: () => this.#state.faults.streamFaults(found.stream.name),
      faultRandom: this.#state.faultRandom,
      cut: () => this.#socket.end(() => this.destroy()),
    });
    if (this.#socket.destroyed) {
      session.close();
      return { status: 500 };
    }
    this.#state.sessions.set(id, session);
    this.#ownSessions.add(session);
    return { status: 200, headers: { Transport: transport.header, Session: this.#sessionHeader(session) } };
  }

  #control(request: RtspRequest): Answer {
    const session = this.#findSession(request);
    if (!session)
      return request.headers.has("session") || request.method !== "GET_PARAMETER"
        ? { status: 454 }
        : { status: 200 };
    const headers = { Session: this.#sessionHeader(session) };
    switch (request.method) {
      case "PLAY": {
        const { sequence, timestamp } = session.rtpInfo;
        const url = `${this.#findStream(request.uri)?.base ?? request.uri}/${TRACK}`;
        const info = session.isPlaying
          ? {}
          : { "RTP-Info": `url=${url};seq=${sequence};rtptime=${timestamp}` };
        return {
          status: 200,
          headers: { ...headers, Range: "npt=now-", ...info },
          afterwards: () => session.play(),
        };
      }
      case "PAUSE":
        session.pause();
        return { status: 200, headers };
      case "TEARDOWN":
        return { status: 200, headers, afterwards: () => this.#end(session) };
      default:
        return { status: 200, headers };
    }
  }

  #sessionHeader(session: RtspSession): string {
    return `${session.id};timeout=${Math.max(1, Math.round(this.#state.options.sessionTimeoutMs / 1000))}`;
  }

  /** The session that a request names; naming it is a sign of life. */
  #findSession(request: RtspRequest): RtspSession | undefined {
    const id = request.headers.get("session")?.split(";")[0]?.trim();
    const session = id === undefined ? undefined : this.#state.sessions.get(id);
    if (session) {
      session.lastSeenMs = steadyNowMs();
      // A session over UDP may be controlled from another connection; one inside a connection may not.
      if (session.transport.endsWithConnection && !this.#ownSessions.has(session)) return undefined;
    }
    return session;
  }

  /** `rtsp://host:port/main`, with or without track, slash or query. */
  #findStream(uri: string): { readonly stream: VideoStream; readonly base: string } | undefined {
    const match = /^(rtsp:\/\/[^/?]+\/([a-z0-9]+))(?:\/(?:trackID=0)?)?(?:\?.*)?$/i.exec(uri);
    const stream = this.#state.options.streams.get(match?.[2] ?? "");
    return match && stream ? { stream, base: match[1] as string } : undefined;
  }

  #end(session: RtspSession): void {
    session.close();
    this.#state.sessions.delete(session.id);
    this.#ownSessions.delete(session);
  }
}

function cseqOf(request: RtspRequest): string {
  const text = request.headers.get("cseq") ?? "";
  return /^\d{1,10}$/.test(text) ? text : "0";
}

/** IPv4 addresses of a dual-stack socket come as `::ffff:1.2.3.4`. */
function addressOf(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:/, "");
}

async function waitAtMost(promise: Promise<void>, delayMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>((resolve) => (timer = setTimeout(resolve, delayMs)))]);
  clearTimeout(timer);
}
