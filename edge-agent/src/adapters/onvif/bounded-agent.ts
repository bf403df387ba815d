import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";

/** No honest answer of a camera is larger. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const CHECK_MS = 250;

/**
 * An HTTP agent whose connections (one a request) are cut when they deliver more than a camera would: the
 * ONVIF library buffers answers without a bound. `destroy()` ends every request at once.
 */
export function boundedAgent(isSecure: boolean): HttpAgent {
  const agent = isSecure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
  const sockets = new Set<Duplex & { bytesRead?: number }>();
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = create(options, callback);
    if (!socket) return socket;
    sockets.add(socket);
    const watch = setInterval(() => {
      if (((socket as { bytesRead?: number }).bytesRead ?? 0) > MAX_ANSWER_BYTES) socket.destroy();
    }, CHECK_MS);
    socket.once("close", () => {
      clearInterval(watch);
      sockets.delete(socket);
    });
    return socket;
  };
  const destroy = agent.destroy.bind(agent);
  agent.destroy = () => {
    destroy();
    for (const socket of sockets) socket.destroy();
  };
  return agent;
}
