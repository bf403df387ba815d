import { type Socket, connect, createServer } from "node:net";
import { joinAnnexB } from "@huishi/media";
import { describe, expect, it } from "vitest";
import { VideoStream } from "../source/video-stream.ts";
import { InterleavedTransport, type RtpTransport } from "./rtp-transport.ts";
import { RtspSession } from "./rtsp-session.ts";

const SPS = Uint8Array.from(Buffer.from("6742c00dda0507ec0440000003004000000783c50aa8", "hex"));
const PPS = Uint8Array.of(0x68, 0xce, 0x0f, 0xc8);
const keyframe = joinAnnexB([SPS, PPS, Uint8Array.of(0x65, 1)]);
const predicted = joinAnnexB([Uint8Array.of(0x41, 2)]);

function setUp() {
  const stream = new VideoStream("main", 25);
  const sent: string[] = [];
  const link = { room: true, drained: true, muted: false, dropped: 0 };
  const transport: RtpTransport = {
    header: "",
    endsWithConnection: true,
    hasRoom: () => link.room,
    isDrained: () => link.drained,
    sendRtp: (packets) => sent.push(((packets[0]?.[12] ?? 0) & 0x1f) === 1 ? "P" : "K"),
    sendRtcp: () => sent.push("report"),
    close: () => undefined,
  };
  let takenAtMs = 0;
  const publish = (kinds: string): void => {
    for (const kind of kinds)
      stream.publish(kind === "K" ? keyframe : predicted, kind === "K", (takenAtMs += 40));
  };
  const session = new RtspSession({
    id: "1",
    stream,
    transport,
    random32: () => 1,
    isMuted: () => link.muted,
    onDrop: () => (link.dropped += 1),
  });
  return { session, sent, link, publish };
}

describe("a session", () => {
  it("starts at once with the pictures since the last keyframe, and goes on live", () => {
    const { session, sent, publish } = setUp();
    publish("KPPKP");
    session.play();
    publish("P");
    session.close();
    expect(sent).toEqual(["K", "P", "report", "P", "report"]);
    publish("KP");
    expect(sent).toHaveLength(5);
  });

  it("drops pictures for a slow client until a keyframe finds its buffer drained, and counts them", () => {
    const { session, sent, link, publish } = setUp();
    publish("K");
    session.play();
    sent.length = 0;
    Object.assign(link, { room: false, drained: false });
    publish("PP");
    link.room = true;
    publish("PKP");
    link.drained = true;
    publish("PKP");
    session.close();
    expect(sent.filter((item) => item !== "report")).toEqual(["K", "P"]);
    expect(link.dropped).toBe(6);
  });

  it("resumes at a keyframe after a pause and after packets were stopped", () => {
    const { session, sent, link, publish } = setUp();
    publish("KP");
    session.play();
    session.pause();
    publish("PKP");
    sent.length = 0;
    session.play();
    link.muted = true;
    publish("P");
    link.muted = false;
    publish("PKP");
    session.close();
    expect(sent.filter((item) => item !== "report")).toEqual(["K", "P", "K", "P"]);
  });
});

describe("RTP inside the RTSP connection", () => {
  it("has no room for a client that does not read, with a bounded buffer", async () => {
    let accept: (socket: Socket) => void = () => undefined;
    const accepted = new Promise<Socket>((resolve) => (accept = resolve));
    const server = createServer((socket) => accept(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const client = connect((server.address() as { port: number }).port, "127.0.0.1");
    client.pause();
    const socket = await accepted;
    socket.on("error", () => undefined);
    const transport = new InterleavedTransport(socket, { kind: "tcp", rtpChannel: 0, rtcpChannel: 1 });
    const picture = Array.from({ length: 50 }, () => Buffer.alloc(1400));
    let pictures = 0;
    while (transport.hasRoom() && pictures < 10_000) {
      transport.sendRtp(picture);
      pictures += 1;
      if (pictures % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(transport.hasRoom()).toBe(false);
    expect(socket.writableLength).toBeLessThan(3 * 1024 * 1024);
    client.destroy();
    socket.destroy();
    server.close();
  });
});
