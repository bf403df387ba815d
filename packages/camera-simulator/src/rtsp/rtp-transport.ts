/** Where the RTP packets of one session go: into the RTSP connection, or to the client's UDP ports. */
import { type Socket as UdpSocket, createSocket } from "node:dgram";
import type { Socket } from "node:net";
import { BoundedQueue } from "@huishi/kernel";
import type { TransportChoice } from "./rtsp-parser.ts";

export interface RtpTransport {
  /** The Transport header of the answer to SETUP. */
  readonly header: string;
  /** True when it cannot outlive the RTSP connection. */
  readonly endsWithConnection: boolean;
  /**
   * Room for another picture? When a client takes less than it is sent, pictures are dropped until the next
   * keyframe (policy: drop newest), so that memory stays bounded.
   */
  hasRoom(): boolean;
  /** Has a client that fell behind caught up enough to go on with a keyframe? */
  isDrained(): boolean;
  sendRtp(packets: readonly Buffer[]): void;
  sendRtcp(packet: Buffer): void;
  /** Fault: bytes that are no frame, where packets travel inside a connection. */
  sendGarbage?(bytes: Buffer): void;
  close(): void;
}

const TCP_HIGH_WATER_BYTES = 2 * 1024 * 1024;
const TCP_LOW_WATER_BYTES = 256 * 1024;

/** RTP inside the RTSP connection (RFC 2326 §10.12). */
export class InterleavedTransport implements RtpTransport {
  readonly header: string;
  readonly endsWithConnection = true;
  readonly rtcpChannel: number;
  readonly #socket: Socket;
  readonly #rtpChannel: number;

  constructor(socket: Socket, choice: Extract<TransportChoice, { kind: "tcp" }>) {
    this.#socket = socket;
    this.#rtpChannel = choice.rtpChannel;
    this.rtcpChannel = choice.rtcpChannel;
    this.header = `RTP/AVP/TCP;unicast;interleaved=${choice.rtpChannel}-${choice.rtcpChannel}`;
  }

  hasRoom(): boolean {
    return this.#socket.writableLength < TCP_HIGH_WATER_BYTES;
  }

  isDrained(): boolean {
    return this.#socket.writableLength < TCP_LOW_WATER_BYTES;
  }

  sendRtp(packets: readonly Buffer[]): void {
    const parts: Buffer[] = [];
    for (const packet of packets) parts.push(this.#frame(this.#rtpChannel, packet.length), packet);
    if (this.#socket.writable) this.#socket.write(Buffer.concat(parts));
  }

  sendRtcp(packet: Buffer): void {
    if (this.#socket.writable)
      this.#socket.write(Buffer.concat([this.#frame(this.rtcpChannel, packet.length), packet]));
  }

  sendGarbage(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  #frame(channel: number, length: number): Buffer {
    return Buffer.from([0x24, channel, length >> 8, length & 0xff]);
  }

  /** The connection belongs to the server. */
  close(): void {}
}

/** About 45 KB every 4 ms: a burst of pictures at joining must not overflow the client's socket buffer. */
const UDP_SLICE_PACKETS = 32;
const UDP_SLICE_MS = 4;
const UDP_QUEUE_PACKETS = 8192;

/** RTP to the client's ports, paced. */
export class UdpTransport implements RtpTransport {
  readonly header: string;
  readonly endsWithConnection = false;
  readonly #rtp: UdpSocket;
  readonly #rtcp: UdpSocket;
  readonly #address: string;
  readonly #choice: Extract<TransportChoice, { kind: "udp" }>;
  readonly #queue = new BoundedQueue<Buffer>(UDP_QUEUE_PACKETS, "refuse");
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(
    rtp: UdpSocket,
    rtcp: UdpSocket,
    address: string,
    choice: Extract<TransportChoice, { kind: "udp" }>,
  ) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#address = address;
    this.#choice = choice;
    const ports = `client_port=${choice.rtpPort}-${choice.rtcpPort};server_port=${rtp.address().port}-${rtcp.address().port}`;
    this.header = `RTP/AVP;unicast;${ports}`;
  }

  /**
   * Binds an even port and the next one (RFC 3550 §11). Packets go to the address that the RTSP connection came
   * from and to no other, whatever the client asks for.
   *
   * @param onReceiverReport called for each RTCP packet of the client: a sign of life
   */
  static async open(
    localAddress: string,
    clientAddress: string,
    choice: Extract<TransportChoice, { kind: "udp" }>,
    onReceiverReport: () => void,
  ): Promise<UdpTransport> {
    const [rtp, rtcp] = await bindPair(localAddress);
    rtcp.on("message", (_message, sender) => {
      if (sender.address === clientAddress) onReceiverReport();
    });
    return new UdpTransport(rtp, rtcp, clientAddress, choice);
  }

  hasRoom(): boolean {
    return this.#queue.size < UDP_QUEUE_PACKETS / 2;
  }

  isDrained(): boolean {
    return this.#queue.size < UDP_SLICE_PACKETS;
  }

  sendRtp(packets: readonly Buffer[]): void {
    for (const packet of packets) this.#queue.push(packet);
    if (!this.#timer) this.#sendSlice();
  }

  #sendSlice(): void {
    this.#timer = undefined;
    if (this.#isClosed) return;
    for (const packet of this.#queue.take(UDP_SLICE_PACKETS))
      this.#rtp.send(packet, this.#choice.rtpPort, this.#address, () => undefined);
    if (this.#queue.size > 0) this.#timer = setTimeout(() => this.#sendSlice(), UDP_SLICE_MS);
  }

  sendRtcp(packet: Buffer): void {
    if (!this.#isClosed) this.#rtcp.send(packet, this.#choice.rtcpPort, this.#address, () => undefined);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#queue.clear();
    // A goodbye may still be on its way out.
    setImmediate(() => {
      this.#rtp.close();
      this.#rtcp.close();
    });
  }
}

function bindPort(address: string, port: number): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined); // e.g. port unreachable: the session's timeout ends it
      resolve(socket);
    });
  });
}

async function bindPair(address: string): Promise<readonly [UdpSocket, UdpSocket]> {
  let failure: unknown;
  for (let attempt = 0; attempt < 20; attempt++) {
    const first = await bindPort(address, 0);
    const port = first.address().port;
    const even = port % 2 === 0;
    try {
      const second = await bindPort(address, even ? port + 1 : port - 1);
      return even ? [first, second] : [second, first];
    } catch (error) {
      failure = error;
      first.close();
    }
  }
  throw new Error("no free pair of UDP ports", { cause: failure });
}
