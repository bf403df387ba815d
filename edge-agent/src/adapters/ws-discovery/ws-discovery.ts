import { sleep } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import type { Discovery, FoundDevice } from "../../application/ports.ts";
import { probeMessage } from "./probe-message.ts";
import { parseProbeMatches } from "./probe-match.ts";

const MULTICAST_ADDRESS = "239.255.255.250";
const PORT = 3702;
/** UDP loses packets: WS-Discovery's SOAP-over-UDP repeats too. */
const PROBE_TIMES_MS = [0, 250, 1_000];
const LISTEN_MS = 3_000;
const MAX_DEVICES = 1_000;

export interface WsDiscoveryOptions {
  /** IPv4 address of the interface to probe on; 127.0.0.1 for the loopback interface. */
  readonly interfaceAddress?: string | undefined;
  readonly port?: number | undefined;
  readonly listenMs?: number;
}

/** Finds ONVIF devices by WS-Discovery over UDP multicast (ONVIF Core §7). */
export class WsDiscovery implements Discovery {
  readonly #options: WsDiscoveryOptions;

  constructor(options: WsDiscoveryOptions = {}) {
    this.#options = options;
  }

  async probe(signal: AbortSignal): Promise<FoundDevice[]> {
    signal.throwIfAborted();
    const { interfaceAddress, port = PORT, listenMs = LISTEN_MS } = this.#options;
    const found = new Map<string, FoundDevice>();
    const messageIds = new Set<string>();
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    const failed = once(socket, "error").then(([error]) => {
      throw error as Error;
    });
    // Raced below; a late error must not go unhandled.
    failed.catch(() => undefined);
    socket.on("message", (reply, from) => {
      for (const device of parseProbeMatches(reply, from, messageIds)) {
        if (found.size < MAX_DEVICES) found.set(device.endpoint, device);
      }
    });
    try {
      socket.bind({ port: 0, address: interfaceAddress ?? "0.0.0.0" });
      await Promise.race([once(socket, "listening", { signal }), failed]);
      socket.setMulticastTTL(1);
      if (interfaceAddress) socket.setMulticastInterface(interfaceAddress);
      await Promise.race([sendProbes(socket, port, messageIds, signal), failed]);
      await Promise.race([sleep(listenMs, signal), failed]);
    } finally {
      socket.close();
    }
    return [...found.values()];
  }
}

async function sendProbes(
  socket: Socket,
  port: number,
  messageIds: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  let sentAtMs = 0;
  for (const atMs of PROBE_TIMES_MS) {
    await sleep(atMs - sentAtMs, signal);
    sentAtMs = atMs;
    for (const types of ["NetworkVideoTransmitter", "any"] as const) {
      const messageId = `urn:uuid:${randomUUID()}`;
      messageIds.add(messageId);
      await new Promise<void>((resolve, reject) => {
        socket.send(probeMessage(messageId, types), port, MULTICAST_ADDRESS, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
  }
}
