import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import jsmodbus from "jsmodbus";

const WORDS = 64;

/** What is wrong with the simulated device. `silent`: it accepts and never answers; `garbage`: it talks nonsense. */
export type ModbusFault = "silent" | "garbage";

/**
 * A Modbus TCP device with 64 holding and input registers, coils and discrete inputs; addresses beyond are answered
 * with exception 2. The protocol is jsmodbus's: a second opinion on the agent's own client.
 */
export class ModbusSimulator {
  readonly holding = Buffer.alloc(WORDS * 2);
  readonly input = Buffer.alloc(WORDS * 2);
  readonly coils = Buffer.alloc(WORDS / 8);
  readonly discrete = Buffer.alloc(WORDS / 8);
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fault: ModbusFault | null = null;
  /** Connections since the start. */
  connections = 0;

  private constructor() {
    this.#server = createServer();
    const { holding, input, coils, discrete } = this;
    const banks = { holding, input, coils, discrete };
    new jsmodbus.server.TCP(this.#server, banks);
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
