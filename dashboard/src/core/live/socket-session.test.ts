import { type ClientMessage, type ServerMessage, SOCKET_CLOSE } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import type { ConnectionState } from "./protocol.ts";
import { SocketSession, type SocketLike } from "./socket-session.ts";

class FakeSocket implements SocketLike {
  binaryType = "";
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly sent: ClientMessage[] = [];
  isClosed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }
  close(): void {
    this.isClosed = true;
  }
  open(): void {
    this.onopen?.(new Event("open"));
  }
  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }
  media(bytes: number[]): void {
    this.onmessage?.({ data: Uint8Array.from(bytes).buffer } as MessageEvent);
  }
  drop(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }
}

/** A session with sockets, time and timers in the test's hand. */
function world() {
  let nowMs = 0;
  let timers: { atMs: number; run: () => void }[] = [];
  const sockets: FakeSocket[] = [];
  const states: ConnectionState[] = [];
  const messages: ServerMessage[] = [];
  const media: string[] = [];
  const offsets: number[] = [];
  const session = new SocketSession(
    {
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      nowMs: () => nowMs,
      random: () => 1,
      setTimeout: (run, delayMs) => {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => (timers = timers.filter((each) => each !== timer)),
    },
    {
      connection: (state) => states.push(state),
      clock: (offsetMs) => offsets.push(offsetMs),
      message: (message) => messages.push(message),
      media: (cameraId, profile, unit) => media.push(`${cameraId}/${profile} ${unit.join()}`),
    },
  );
  const advance = (byMs: number): void => {
    const untilMs = nowMs + byMs;
    for (;;) {
      const next = timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      timers = timers.filter((timer) => timer !== next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = untilMs;
  };
  const welcome = (resumed = false, cursor = "1-5"): FakeSocket => {
    const socket = sockets.at(-1) as FakeSocket;
    socket.open();
    socket.say({ t: "welcome", serverTimeMs: 0, cursor, resumed });
    return socket;
  };
  return {
    session,
    sockets,
    states,
    messages,
    media,
    offsets,
    advance,
    welcome,
    last: () => sockets.at(-1) as FakeSocket,
  };
}

describe("SocketSession", () => {
  it("says hello, then what it watches", () => {
    const { session, welcome, states } = world();
    session.watch([{ cameraId: "a", profile: "sub" }]);
    session.start();
    const socket = welcome();
    expect(socket.sent[0]).toEqual({ t: "hello" });
    expect(socket.sent).toContainEqual({ t: "watch", watches: [{ cameraId: "a", profile: "sub" }] });
    expect(states.at(-1)).toMatchObject({ phase: "online" });
  });

  it("comes back with the cursor of the last change it was given", () => {
    const { session, welcome, advance, last } = world();
    session.start();
    const socket = welcome();
    socket.say({ t: "changes", cursor: "7-9", changes: [] });
    socket.drop(1006);
    advance(1_000);
    last().open();
    expect(last()).not.toBe(socket);
    expect(last().sent[0]).toEqual({ t: "hello", cursor: "7-9" });
  });

  it("waits longer after each failure, within a bound, and not at all after a success", () => {
    const { session, states, advance, last, welcome } = world();
    session.start();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      last().drop(1006);
      const waitMs = states.at(-1)?.retryInMs ?? 0;
      waits.push(waitMs);
      advance(waitMs);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
    welcome();
    last().drop(1006);
    expect(states.at(-1)?.retryInMs).toBe(500);
  });

  it("calls the way lost when nothing is heard, though no close came", () => {
    const { session, states, advance, welcome } = world();
    session.start();
    const socket = welcome();
    advance(9_000);
    expect(socket.isClosed).toBe(true);
    expect(states.some(({ phase }) => phase === "lost")).toBe(true);
  });

  it("does not come back when the session has ended", () => {
    const { session, states, sockets, advance, welcome } = world();
    session.start();
    welcome().drop(SOCKET_CLOSE.sessionEnded);
    advance(60_000);
    expect(states.at(-1)).toMatchObject({ phase: "signedOut" });
    expect(sockets).toHaveLength(1);
  });

  it("hands media on by channel and ignores channels it was not given", () => {
    const { session, media, welcome } = world();
    session.start();
    const socket = welcome();
    socket.say({ t: "watching", channels: [{ channel: 258, cameraId: "a", profile: "sub" }], refused: [] });
    socket.media([1, 2, 42, 43]);
    socket.media([0, 9, 1, 1]);
    expect(media).toEqual(["a/sub 42,43"]);
  });

  it("measures the server's clock from its pings", () => {
    const { session, offsets, advance, welcome } = world();
    session.start();
    const socket = welcome();
    const ping = socket.sent.find((message) => message.t === "ping");
    advance(40);
    socket.say({ t: "pong", id: ping?.t === "ping" ? ping.id : -1, serverTimeMs: 3_600_020 });
    expect(offsets.at(-1)).toBe(3_600_000);
  });

  it("tries at once when asked, but never twice at a time", () => {
    const { session, sockets, welcome } = world();
    session.start();
    session.retryNow();
    expect(sockets).toHaveLength(1);
    welcome().drop(1006);
    session.retryNow();
    session.retryNow();
    expect(sockets).toHaveLength(2);
  });
});
