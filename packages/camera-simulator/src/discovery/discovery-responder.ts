/** Answers WS-Discovery on one network interface for all cameras of a process. */
import { randomUUID } from "node:crypto";
import { type Socket, createSocket } from "node:dgram";
import { messageOf } from "@huishi/kernel";
import { SimulatorError } from "../errors.ts";
import {
  DISCOVERY_GROUP,
  DISCOVERY_GROUP_V6,
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

/** IPv4: the interface by its address, or 0.0.0.0. IPv6: the interface by its name. */
export type ResponderPlace =
  { readonly family: 4; readonly address: string } | { readonly family: 6; readonly zone: string };

export class DiscoveryResponder {
  readonly #place: ResponderPlace;
  readonly #group: string;
  readonly #port: number;
  readonly #devices = new Set<DiscoverableDevice>();
  readonly #instanceId = Math.floor(Date.now() / 1000);
  #listener: Socket | undefined;
  #sender: Socket | undefined;
  #messageNumber = 0;
  #windowStartMs = 0;
  #probesInWindow = 0;

  constructor(place: ResponderPlace, port: number) {
    this.#place = place;
    this.#group = place.family === 4 ? DISCOVERY_GROUP : `${DISCOVERY_GROUP_V6}%${place.zone}`;
    this.#port = port;
  }

  get deviceCount(): number {
    return this.#devices.size;
  }

  /** @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE */
  async start(): Promise<void> {
    try {
      if (this.#place.family === 4) await this.#startV4(this.#place.address);
      else await this.#startV6(this.#place.zone);
    } catch (cause) {
      this.stop();
      const where = this.#place.family === 4 ? this.#place.address : this.#place.zone;
      throw new SimulatorError(
        "SIMULATOR_PORT_UNAVAILABLE",
        `WS-Discovery cannot listen on ${where}:${this.#port}: ${messageOf(cause)}`,
        { cause },
      );
    }
    this.#listener?.on("message", (datagram, from) => this.#answer(datagram, from));
  }

  async #startV4(address: string): Promise<void> {
    const isAny = address === "0.0.0.0";
    // Bound to the group's address (where the system allows it), the socket hears nothing that is sent to this machine alone.
    const group = process.platform === "linux" ? DISCOVERY_GROUP : "0.0.0.0";
    this.#listener = await bind("udp4", group, this.#port);
    this.#listener.addMembership(DISCOVERY_GROUP, isAny ? undefined : address);
    this.#sender = await bind("udp4", address, 0);
    if (!isAny) this.#sender.setMulticastInterface(address);
    this.#sender.setMulticastLoopback(true);
  }

  async #startV6(zone: string): Promise<void> {
    this.#listener = await bind("udp6", "::", this.#port);
    this.#listener.addMembership(DISCOVERY_GROUP_V6, `::%${zone}`);
    this.#sender = await bind("udp6", "::", 0);
    this.#sender.setMulticastInterface(`::%${zone}`);
    this.#sender.setMulticastLoopback(true);
  }

  /** Adds a camera and says Hello for it. */
  add(device: DiscoverableDevice): void {
    this.#devices.add(device);
    this.#send(buildHello(device, this.#identity()), this.#port, this.#group);
  }

  /** Removes a camera and says Bye for it. */
  remove(device: DiscoverableDevice): void {
    if (this.#devices.delete(device)) this.#send(buildBye(device, this.#identity()), this.#port, this.#group);
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

function bind(type: "udp4" | "udp6", address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === "udp6" });
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
