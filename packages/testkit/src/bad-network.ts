/**
 * A bad line between two programs of this machine: a TCP proxy on loopback with delay, jitter, a bandwidth and losses.
 * TCP repeats what is lost, so a program sees a lost segment as a stall of everything behind it: one retransmission
 * timeout (RFC 6298: at least 200 ms on Linux, doubled with each loss of the same segment) after a round trip. That is
 * modelled here for each segment of 1,400 bytes, a chance of loss for each. What it does not model: the congestion
 * window, which real TCP also halves.
 */
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";

export interface LineQuality {
  /** One way, milliseconds; default 0. */
  readonly delayMs?: number;
  /** Added by chance, 0 up to this; order is kept. Default 0. */
  readonly jitterMs?: number;
  /** Bits a second each way, shared by all connections; default unlimited. */
  readonly bitsPerSecond?: number;
  /** Share of segments that are lost, each time they are sent; default 0. */
  readonly lossRate?: number;
}

/** A line as the assignment's worst one. */
export const WORST_LINE: LineQuality = { bitsPerSecond: 1_000_000, lossRate: 0.2, delayMs: 100 };

const SEGMENT_BYTES = 1_400;
const LEAST_RETRANSMISSION_MS = 200;
const MOST_DOUBLINGS = 5;
/** Bytes that lie on the line in one direction of one connection; beyond, the sender has to wait (policy: block). */
const MAX_BYTES_ON_LINE = 128 * 1024;

interface Direction {
  /** When the shared line is free again. */
  freeAtMs: number;
  bytes: number;
}

export interface BadNetworkOptions extends LineQuality {
  readonly targetPort: number;
  /** Same numbers for the same seed. */
  readonly random?: () => number;
}

export class BadNetwork {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #random: () => number;
  readonly #pipes = new Set<Pipe>();
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #up: Direction = { freeAtMs: 0, bytes: 0 };
  readonly #down: Direction = { freeAtMs: 0, bytes: 0 };
  #quality: LineQuality;
  #state: "open" | "black_hole" | "refusing" = "open";
  connections = 0;
  stalls = 0;
  /** The longest that one segment was held up by being sent again, milliseconds: a bound that no sender can keep. */
  longestStallMs = 0;

  private constructor({ targetPort, random, ...quality }: BadNetworkOptions) {
    this.#targetPort = targetPort;
    this.#random = random ?? Math.random;
    this.#quality = quality;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async start(options: BadNetworkOptions): Promise<BadNetwork> {
    const network = new BadNetwork(options);
    await new Promise<void>((resolve) => network.#server.listen(0, "127.0.0.1", resolve));
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get quality(): LineQuality {
    return this.#quality;
  }

  /** Bytes that have come through, from the clients' side and from the target's. */
  get bytes(): { readonly up: number; readonly down: number } {
    return { up: this.#up.bytes, down: this.#down.bytes };
  }

  get openConnections(): number {
    return this.#pairs.size;
  }

  setQuality(quality: LineQuality): void {
    this.#quality = quality;
  }

  /** Ends every connection with FIN on both sides, and lets new ones through. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** Ends every connection with RST (RFC 9293 §3.5.2). */
  reset(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** The target's side goes without a word to the clients: their connections stay open and nothing comes. */
  halfOpen(): void {
    for (const [client, target] of this.#pairs) {
      client.removeAllListeners("data").resume();
      target.removeAllListeners("close").destroy();
    }
  }

  /** Nothing passes in either direction, new connections hang; `open` ends it. What lay on the line is late, not lost. */
  blackHole(): void {
    this.#state = "black_hole";
  }

  /** Connections are cut and new ones are ended at once, as when the server is down. */
  refuse(): void {
    this.#state = "refusing";
    this.cut();
  }

  open(): void {
    this.#state = "open";
    for (const pipe of this.#pipes) pipe.wake();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#state = "refusing";
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#state === "refusing") {
      client.destroy();
      return;
    }
    this.connections += 1;
    const target = connect({ port: this.#targetPort, host: "127.0.0.1", allowHalfOpen: true });
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    const pipes = [this.#pipe(client, target, this.#up), this.#pipe(target, client, this.#down)];
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        for (const pipe of pipes) {
          pipe.stop();
          this.#pipes.delete(pipe);
        }
        this.#pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  }

  #pipe(from: Socket, to: Socket, direction: Direction): Pipe {
    const pipe = new Pipe({
      from,
      to,
      direction,
      isBlocked: () => this.#state === "black_hole",
      travel: (bytes, notBeforeMs) => this.#travel(direction, bytes, notBeforeMs),
    });
    this.#pipes.add(pipe);
    return pipe;
  }

  /** When a segment that is sent now arrives; behind the one before it, as TCP delivers. */
  #travel(direction: Direction, bytes: number, notBeforeMs: number): number {
    const { delayMs = 0, jitterMs = 0, bitsPerSecond, lossRate = 0 } = this.#quality;
    const nowMs = performance.now();
    const sendMs = bitsPerSecond === undefined ? 0 : (bytes * 8_000) / bitsPerSecond;
    const firstSentAtMs = Math.max(nowMs, direction.freeAtMs) + sendMs;
    let sentAtMs = firstSentAtMs;
    direction.freeAtMs = sentAtMs;
    for (let tries = 0; tries < MOST_DOUBLINGS && this.#random() < lossRate; tries++) {
      this.stalls += 1;
      sentAtMs += Math.max(LEAST_RETRANSMISSION_MS, 2 * delayMs) * 2 ** tries;
      // What is sent again takes its room on the line once more.
      direction.freeAtMs += sendMs;
    }
    this.longestStallMs = Math.max(this.longestStallMs, sentAtMs - firstSentAtMs);
    return Math.max(notBeforeMs, sentAtMs + delayMs + jitterMs * this.#random());
  }
}

interface PipeParts {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: Direction;
  isBlocked(): boolean;
  travel(bytes: number, notBeforeMs: number): number;
}

/** One direction of one connection: segments in order, each at its time. */
class Pipe {
  readonly #parts: PipeParts;
  readonly #segments: { readonly bytes: Buffer; readonly atMs: number }[] = [];
  #bytesOnLine = 0;
  #lastAtMs = 0;
  #hasEnded = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PipeParts) {
    this.#parts = parts;
    parts.from.on("data", (chunk: Buffer) => this.#take(chunk));
    parts.from.on("end", () => {
      this.#hasEnded = true;
      this.wake();
    });
    parts.to.on("drain", () => this.wake());
  }

  wake(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#deliver();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#segments.length = 0;
  }

  #take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += SEGMENT_BYTES) {
      const bytes = chunk.subarray(at, at + SEGMENT_BYTES);
      this.#lastAtMs = this.#parts.travel(bytes.length, this.#lastAtMs);
      this.#segments.push({ bytes, atMs: this.#lastAtMs });
    }
    this.#bytesOnLine += chunk.length;
    if (this.#bytesOnLine > MAX_BYTES_ON_LINE) this.#parts.from.pause();
    this.wake();
  }

  #deliver(): void {
    const { from, to, direction, isBlocked } = this.#parts;
    if (isBlocked()) return;
    for (let next = this.#segments[0]; next; next = this.#segments[0]) {
      const waitMs = next.atMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(waitMs));
        return;
      }
      if (to.writableNeedDrain) return;
      this.#segments.shift();
      this.#bytesOnLine -= next.bytes.length;
      direction.bytes += next.bytes.length;
      to.write(next.bytes);
    }
    if (this.#bytesOnLine <= MAX_BYTES_ON_LINE / 2) from.resume();
    if (this.#hasEnded && !to.writableEnded) to.end();
  }
}
