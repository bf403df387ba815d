/** Answers that never come to an end, or one byte at a time. */
import type { Socket } from "node:net";

const DRIP_MS = 1000;
const FLOOD_MS = 100;
const FLOOD_BYTES = 6_554;

export class SlowWriter {
  readonly #socket: Socket;
  #waiting = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One byte a second. */
  drip(text: string): void {
    this.#waiting += text;
    this.#timer ??= setInterval(() => {
      if (this.#waiting !== "") this.#socket.write(this.#waiting.slice(0, 1));
      this.#waiting = this.#waiting.slice(1);
    }, DRIP_MS);
  }

  /** About 64 KiB a second of one header, for as long as the client takes it. */
  endlessHeader(): void {
    if (this.#timer) return;
    this.#socket.write("RTSP/1.0 200 OK\r\nX-Endless: ");
    this.#timer = setInterval(() => {
      if (this.#socket.writableLength < FLOOD_BYTES) this.#socket.write("a".repeat(FLOOD_BYTES));
    }, FLOOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
