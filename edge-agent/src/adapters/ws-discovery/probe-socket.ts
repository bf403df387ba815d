// One UDP socket on one interface: sends probes to the group, hands on what comes back.
import { sleep } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { probeMessage, resolveMessage } from "./probe-message.ts";

const GROUP_V4 = "239.255.255.250";
/** Link-local scope of the IPv6 group (WS-Discovery §2.4, ONVIF Core §7.3). */
const GROUP_V6 = "ff02::c";
/** UDP loses packets: WS-Discovery's SOAP-over-UDP repeats too. */
const PROBE_TIMES_MS = [0, 250, 1_000];

/** Where to probe. `zone` is the interface's name (IPv6 needs it); `address` its own address (IPv4). */
export interface ProbeInterface {
  readonly family: 4 | 6;
  readonly zone: string;
  readonly address: string;
}

export interface ProbeExchange {
  readonly on: ProbeInterface;
  readonly port: number;
  readonly listenMs: number;
  /** Ids of all that was sent on any interface; answers must relate to one of them. */
  readonly messageIds: Set<string>;
  readonly onReply: (reply: Buffer, from: RemoteInfo, resolve: (endpoint: string) => void) => void;
  readonly signal: AbortSignal;
}

/** Probes several times and listens; throws when the interface cannot do it. */
export async function probeOn(exchange: ProbeExchange): Promise<void> {
  const { on, port, listenMs, messageIds, onReply, signal } = exchange;
  const socket = createSocket({ type: on.family === 4 ? "udp4" : "udp6", reuseAddr: true });
  const failed = once(socket, "error").then(([error]) => {
    throw error as Error;
  });
  // Raced below; a late error must not go unhandled.
  failed.catch(() => undefined);
  const newId = (): string => {
    const id = `urn:uuid:${randomUUID()}`;
    messageIds.add(id);
    return id;
  };
  socket.on("message", (reply, from) =>
    onReply(reply, from, (endpoint) =>
      socket.send(resolveMessage(newId(), endpoint), from.port, from.address, () => undefined),
    ),
  );
  try {
    socket.bind({ port: 0, address: on.family === 4 ? on.address : "::" });
    await Promise.race([once(socket, "listening", { signal }), failed]);
    socket.setMulticastTTL(1);
    if (on.family === 6) socket.setMulticastInterface(`::%${on.zone}`);
    else if (on.address !== "0.0.0.0") socket.setMulticastInterface(on.address);
    const group = on.family === 4 ? GROUP_V4 : `${GROUP_V6}%${on.zone}`;
    await Promise.race([sendProbes({ socket, port, group, newId, signal }), failed]);
    await Promise.race([sleep(listenMs, signal), failed]);
  } finally {
    socket.close();
  }
}

async function sendProbes(to: {
  readonly socket: Socket;
  readonly port: number;
  readonly group: string;
  readonly newId: () => string;
  readonly signal: AbortSignal;
}): Promise<void> {
  let sentAtMs = 0;
  for (const atMs of PROBE_TIMES_MS) {
    await sleep(atMs - sentAtMs, to.signal);
    sentAtMs = atMs;
    for (const types of ["NetworkVideoTransmitter", "any"] as const) {
      await new Promise<void>((resolve, reject) => {
        to.socket.send(probeMessage(to.newId(), types), to.port, to.group, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
  }
}
