import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EdgeError } from "../../domain/faults.ts";
import { decodeAnswer, encodeRead, type Frame, FrameCutter, type ReadRequest } from "./modbus-frames.ts";

/** The gateway answers that the unit behind it does not (MODBUS Application Protocol 1.1b3 §7). */
const GATEWAY_EXCEPTIONS: ReadonlySet<number> = new Set([0x0a, 0x0b]);

interface Waiting {
  readonly transaction: number;
  readonly request: ReadRequest;
  readonly resolve: (data: Uint8Array) => void;
  readonly reject: (error: EdgeError) => void;
}

/**
 * One connection to a Modbus TCP device or gateway, one request at a time. Own code and not a library: docs/sensors.md
 * says why. An answer that comes after its time-out is known by its transaction number and dropped.
 */
export class ModbusConnection {
  readonly #socket: Socket;
  readonly #frames = new FrameCutter();
  #transaction = 0;
  #waiting: Waiting | null = null;
  #failure: EdgeError | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#fail(unreachable("the device closed the connection")));
  }

  /** @throws EdgeError SENSOR_UNREACHABLE */
  static async open(
    target: { host: string; port: number; timeoutMs: number },
    signal: AbortSignal,
  ): Promise<ModbusConnection> {
    const { host, port, timeoutMs } = target;
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    try {
      await once(socket, "connect", { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    } catch (cause) {
      socket.on("error", () => undefined);
      socket.destroy();
      signal.throwIfAborted();
      throw unreachable(`${host}:${port} cannot be reached`, cause);
    }
    return new ModbusConnection(socket);
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /**
   * Reads neighbouring registers.
   *
   * @returns data bytes: bits eight a byte, lowest first; words big-endian
   * @throws EdgeError SENSOR_UNREACHABLE, SENSOR_MODBUS_EXCEPTION, SENSOR_MODBUS_PROTOCOL
   */
  async read(request: ReadRequest, timeoutMs: number): Promise<Uint8Array> {
    if (this.#failure) throw this.#failure;
    this.#transaction = (this.#transaction + 1) & 0xffff;
    const transaction = this.#transaction;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      this.#waiting = { transaction, request, resolve, reject };
      timer = setTimeout(() => reject(unreachable(`unit ${request.unitId} does not answer`)), timeoutMs);
    });
    this.#socket.write(encodeRead(transaction, request));
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const frames = this.#frames.feed(chunk);
    if (frames === null) {
      this.#fail(new EdgeError("SENSOR_MODBUS_PROTOCOL", "the answer is not Modbus TCP"));
      return;
    }
    for (const frame of frames) this.#answer(frame);
  }

  #answer(frame: Frame): void {
    const waiting = this.#waiting;
    if (waiting?.transaction !== frame.transaction) return;
    const answer = decodeAnswer(waiting.request, frame);
    if (answer.kind === "data") waiting.resolve(answer.data);
    else if (answer.kind === "malformed") {
      waiting.reject(new EdgeError("SENSOR_MODBUS_PROTOCOL", "the answer does not fit the request"));
    } else if (GATEWAY_EXCEPTIONS.has(answer.exception)) {
      waiting.reject(unreachable(`the gateway does not reach unit ${frame.unitId}`));
    } else {
      const { exception } = answer;
      waiting.reject(
        new EdgeError("SENSOR_MODBUS_EXCEPTION", `exception ${exception}`, { details: { exception } }),
      );
    }
  }

  #fail(failure: EdgeError): void {
    this.#failure ??= failure;
    this.#waiting?.reject(this.#failure);
    this.#socket.destroy();
  }
}

function unreachable(what: string, cause?: unknown): EdgeError {
  return new EdgeError("SENSOR_UNREACHABLE", what, cause === undefined ? {} : { cause });
}
