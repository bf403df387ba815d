/** Answers WS-Discovery on one network interface for all cameras of a process. */
import { randomUUID } from "node:crypto";
import { type Socket, createSocket } from "node:dgram";
import { messageOf } from "@huishi/kernel";
import { SimulatorError } from "../errors.ts";
import {
  DISCOVERY_GROUP,
  type DiscoverableDevice,
  type MessageIdentity,
  buildBye,
  buildHello,
  buildMatch,
  isMatch,
  parseDiscoveryRequest,
} from "./ws-discovery.ts";

/** Probes answered in a second; more is a storm or an attempt to use us as an amplifier. */
const MAX_PROBES_PER_SECOND = 50;

export class DiscoveryResponder {
  readonly #interfaceAddress: string;
  readonly #port: number;
  readonly #devices = new Set<DiscoverableDevice>();
  readonly #instanceId = Math.floor(Date.now() / 1000);
  #listener: Socket | undefined;
  #sender: Socket | undefined;
  #messageNumber = 0;
  #windowStartMs = 0;
  #probesInWindow = 0;

  constructor(interfaceAddress: string, port: number) {
    this.#interfaceAddress = interfaceAddress;
    this.#port = port;
  }

  get deviceCount(): number {
    return this.#devices.size;
  }

  /** @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE */
  async start(): Promise<void> {
    const isAny = this.#interfaceAddress === "0.0.0.0";
    try {
      // Bound to the group's address (where the system allows it), the socket hears nothing that is sent to this machine alone.
      this.#listener = await bind(process.platform === "linux" ? DISCOVERY_GROUP : "0.0.0.0", this.#port);
      this.#listener.addMembership(DISCOVERY_GROUP, isAny ? undefined : this.#interfaceAddress);
      this.#sender = await bind(this.#interfaceAddress, 0);
      if (!isAny) this.#sender.setMulticastInterface(this.#interfaceAddress);
      this.#sender.setMulticastLoopback(true);
    } catch (cause) {
      this.stop();
      throw new SimulatorError(
        "SIMULATOR_PORT_UNAVAILABLE",
        `WS-Discovery cannot listen on ${this.#interfaceAddress}:${this.#port}: ${messageOf(cause)}`,
        { cause },
      );
    }
    this.#listener.on("message", (datagram, from) => this.#answer(datagram, from));
  }

  /** Adds a camera and says Hello for it. */
  add(device: DiscoverableDevice): void {
    this.#devices.add(device);
    this.#send(buildHello(device, this.#identity()), this.#port, DISCOVERY_GROUP);
  }

  /** Removes a camera and says Bye for it. */
  remove(device: DiscoverableDevice): void {
    if (this.#devices.delete(device))
      this.#send(buildBye(device, this.#identity()), this.#port, DISCOVERY_GROUP);
  }

  stop(): void {
    this.#listener?.close();
    this.#listener = undefined;
    const sender = this.#sender;
    this.#sender = undefined;
    if (sender) setImmediate(() => sender.close()); // a Bye may still be on its way out
  }

  #answer(datagram: Buffer, from: { address: string; port: number }): void {
    if (!this.#mayAnswer()) return;
    const request = parseDiscoveryRequest(datagram);
    if (!request) return;
    // One datagram a camera, as from separate devices.
    for (const device of this.#devices) {
      if (isMatch(device, request))
        this.#send(buildMatch(device, request, this.#identity()), from.port, from.address);
    }
  }

  #mayAnswer(): boolean {
    const nowMs = Date.now();
    if (Math.abs(nowMs - this.#windowStartMs) >= 1000) {
      this.#windowStartMs = nowMs;
      this.#probesInWindow = 0;
    }
    this.#probesInWindow += 1;
    return this.#probesInWindow <= MAX_PROBES_PER_SECOND;
  }

  #identity(): MessageIdentity {
    this.#messageNumber += 1;
    return {
      messageId: `urn:uuid:${randomUUID()}`,
      instanceId: this.#instanceId,
      messageNumber: this.#messageNumber,
    };
  }

  #send(message: string, port: number, address: string): void {
    this.#sender?.send(Buffer.from(message), port, address, () => undefined);
  }
}

function bind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
