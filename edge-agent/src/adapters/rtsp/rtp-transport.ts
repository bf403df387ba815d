import { type Socket as UdpSocket, createSocket } from "node:dgram";
import { EdgeError } from "../../domain/faults.ts";
import { InOrder } from "./in-order.ts";
import type { RtspClient } from "./rtsp-client.ts";

type PacketListener = (packet: Uint8Array) => void;

/** How RTP packets of one media come, and RTCP goes. */
interface RtpTransport {
  readonly kind: "tcp" | "udp";
  onPackets(onRtp: PacketListener, onRtcp: PacketListener): void;
  sendRtcp(packet: Uint8Array): void;
  close(): void;
}

/** Session of a SETUP's answer (RFC 2326 §12.37). */
export interface RtspSetup {
  readonly session: string;
  readonly timeoutMs: number;
  readonly transport: RtpTransport;
}

const UNSUPPORTED_TRANSPORT = 461;
const DEFAULT_SESSION_MS = 60_000;

/**
 * SETUP over the RTSP connection itself; over UDP when the camera does not offer that (461).
 *
 * @throws EdgeError as RtspClient.request, RTSP_PROTOCOL
 */
export async function setUp(client: RtspClient, url: string): Promise<RtspSetup> {
  const interleaved = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
  const reply = await client.request("SETUP", url, interleaved, [UNSUPPORTED_TRANSPORT]);
  if (reply.status !== UNSUPPORTED_TRANSPORT) {
    const chosen = /interleaved=(\d+)-(\d+)/i.exec(header(reply.headers, "transport"));
    const [rtp, rtcp] = [Number(chosen?.[1] ?? 0), Number(chosen?.[2] ?? 1)];
    return { ...sessionOf(client, reply.headers), transport: tcpTransport(client, rtp, rtcp) };
  }
  const sockets = await bindPair(client.wire.localAddress);
  try {
    const port = sockets.rtp.address().port;
    const asked = { Transport: `RTP/AVP;unicast;client_port=${port}-${port + 1}` };
    const udpReply = await client.request("SETUP", url, asked);
    const server = /server_port=(\d+)(?:-(\d+))?/i.exec(header(udpReply.headers, "transport"));
    const rtcpPort = Number(server?.[2] ?? Number(server?.[1] ?? 0) + 1);
    return {
      ...sessionOf(client, udpReply.headers),
      transport: udpTransport(sockets, client.wire.remoteAddress, rtcpPort),
    };
  } catch (error) {
    sockets.rtp.close();
    sockets.rtcp.close();
    throw error;
  }
}

type Headers = ReadonlyMap<string, readonly string[]>;

function header(headers: Headers, name: string): string {
  return headers.get(name)?.[0] ?? "";
}

function sessionOf(client: RtspClient, headers: Headers): { session: string; timeoutMs: number } {
  const text = header(headers, "session");
  const session = text.split(";")[0]?.trim() ?? "";
  if (session === "" || session.length > 256) {
    throw new EdgeError("RTSP_PROTOCOL", `${client.wire.host} gave no session`);
  }
  const seconds = Number(/timeout\s*=\s*(\d+)/i.exec(text)?.[1]);
  return { session, timeoutMs: seconds >= 5 && seconds <= 3600 ? seconds * 1000 : DEFAULT_SESSION_MS };
}

function tcpTransport(client: RtspClient, rtp: number, rtcp: number): RtpTransport {
  return {
    kind: "tcp",
    onPackets(onRtp, onRtcp) {
      client.wire.onInterleaved((channel, packet) => {
        if (channel === rtp) onRtp(packet);
        else if (channel === rtcp) onRtcp(packet);
      });
    },
    sendRtcp: (packet) => client.wire.sendInterleaved(rtcp, packet),
    close: () => client.wire.onInterleaved(() => undefined),
  };
}

interface UdpPair {
  readonly rtp: UdpSocket;
  readonly rtcp: UdpSocket;
}

const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;

function udpTransport({ rtp, rtcp }: UdpPair, camera: string, rtcpPort: number): RtpTransport {
  const isCamera = (address: string): boolean => plain(address) === plain(camera);
  return {
    kind: "udp",
    onPackets(onRtp, onRtcp) {
      const inOrder = new InOrder(onRtp);
      rtp.on("message", (packet, from) => isCamera(from.address) && inOrder.push(packet));
      rtcp.on("message", (packet, from) => isCamera(from.address) && onRtcp(packet));
    },
    sendRtcp(packet) {
      if (rtcpPort > 0 && rtcpPort < 65_536) rtcp.send(packet, rtcpPort, camera, () => undefined);
    },
    close() {
      rtp.close();
      rtcp.close();
    },
  };
}

function plain(address: string): string {
  return address.replace(/^::ffff:/i, "");
}

const PORT_TRIES = 30;

/** An even port for RTP and the next one for RTCP (RFC 3550 §11). */
async function bindPair(localAddress: string): Promise<UdpPair> {
  const type = localAddress.includes(":") && !/^::ffff:/i.test(localAddress) ? "udp6" : "udp4";
  for (let i = 0; i < PORT_TRIES; i++) {
    const port = 2 * (10_000 + Math.floor(Math.random() * 22_000));
    const rtp = await bind(type, port, localAddress);
    if (!rtp) continue;
    const rtcp = await bind(type, port + 1, localAddress);
    if (rtcp) return { rtp, rtcp };
    rtp.close();
  }
  throw new EdgeError("RTSP_PROTOCOL", "no pair of UDP ports is free for the stream");
}

function bind(type: "udp4" | "udp6", port: number, localAddress: string): Promise<UdpSocket | null> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.once("error", () => {
      socket.close();
      resolve(null);
    });
    socket.bind({ port, address: plain(localAddress), exclusive: true }, () => {
      socket.removeAllListeners("error");
      // An ICMP refusal is no matter: silence ends the stream.
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
