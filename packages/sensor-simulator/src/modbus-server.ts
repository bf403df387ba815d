import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import jsmodbus from "jsmodbus";

const WORDS = 64;

const INPUT = 4;
const ILLEGAL_ADDRESS = 2;

interface InputRequest {
  readonly id: number;
  readonly unitId: number;
  readonly body: { readonly start: number; readonly count: number };
}

/** What is wrong with the simulated device. `silent`: it accepts and never answers; `garbage`: it talks nonsense. */
export type ModbusFault = "silent" | "garbage";

/**
 * A Modbus TCP device with 64 holding and input registers, coils and discrete inputs; input registers beyond are
 * answered with exception 2. The protocol is jsmodbus's: a second opinion on the agent's own client.
 */
export class ModbusSimulator {
  readonly holding = Buffer.alloc(WORDS * 2);
  readonly input = Buffer.alloc(WORDS * 2);
  readonly coils = Buffer.alloc(WORDS / 8);
  readonly discrete = Buffer.alloc(WORDS / 8);
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: ModbusFault | null = null;
  /** Exception that every read of input registers is answered with; null: none. */
  exception: number | null = null;
  /** Connections since the start. */
  connections = 0;

  private constructor() {
    this.#server = createServer();
    const { holding, coils, discrete } = this;
    // Without a bank of its own, jsmodbus asks; left out, it would take a bank of zeros.
    const input = undefined as unknown as Buffer;
    const modbus = new jsmodbus.server.TCP(this.#server, { holding, coils, discrete, input });
    modbus.on("readInputRegisters", (request, answer) => {
      answer(this.#inputAnswer(request as unknown as InputRequest));
    });
    // After jsmodbus's own listener, which makes the socket flow.
    this.#server.on("connection", (socket) => this.#admit(socket));
  }

  static async start(host = "127.0.0.1", port = 0): Promise<ModbusSimulator> {
    const simulator = new ModbusSimulator();
    simulator.#server.listen(port, host);
    await once(simulator.#server, "listening");
    return simulator;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  setFault(fault: ModbusFault | null): void {
    this.#fault = fault;
    for (const socket of this.#sockets) this.#befall(socket);
  }

  setInput(address: number, value: number): void {
    this.input.writeInt16BE(value, address * 2);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** jsmodbus answers nothing with nothing where a register is not; devices answer with an exception. */
  #inputAnswer({ id, unitId, body: { start, count } }: InputRequest): Buffer {
    const isThere = start + count <= WORDS && this.exception === null;
    const data = isThere
      ? Buffer.from([INPUT, count * 2, ...this.input.subarray(start * 2, (start + count) * 2)])
      : Buffer.from([INPUT | 0x80, this.exception ?? ILLEGAL_ADDRESS]);
    const head = Buffer.alloc(7);
    head.writeUInt16BE(id, 0);
    head.writeUInt16BE(data.length + 1, 4);
    head.writeUInt8(unitId, 6);
    return Buffer.concat([head, data]);
  }

  #admit(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#befall(socket);
  }

  #befall(socket: Socket): void {
    if (this.#fault === null) socket.resume();
    else socket.pause();
    if (this.#fault === "garbage") socket.write(Buffer.alloc(64, 0xff));
  }
}
