import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BadNetwork, type LineQuality } from "./bad-network.ts";
import { until } from "./wait.ts";

let server: Server;
let network: BadNetwork;
let received = 0;
const accepted: Socket[] = [];

beforeEach(async () => {
  received = 0;
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      socket.write(`${chunk.length}\n`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  await network.stop();
  for (const socket of accepted.splice(0)) socket.destroy();
  server.close();
});

async function through(quality: LineQuality): Promise<Socket> {
  // The same numbers every time (a linear congruential generator).
  let state = 7;
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const { port: targetPort } = server.address() as AddressInfo;
  network = await BadNetwork.start({ ...quality, targetPort, random });
  const socket = connect(network.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  await once(socket, "connect");
  return socket;
}

/** Milliseconds until the server has all of it. */
async function send(socket: Socket, bytes: number): Promise<number> {
  const startedMs = performance.now();
  const goal = received + bytes;
  socket.write(Buffer.alloc(bytes));
  await until("everything has come", () => received >= goal, 25_000);
  return performance.now() - startedMs;
}

// A loaded machine makes things late, never early: each figure has a sharp lower bound and a generous upper one.
describe("a line", () => {
  test("delays each way", async () => {
    const socket = await through({ delayMs: 100 });
    const startedMs = performance.now();
    socket.write("x");
    await once(socket, "data");
    const elapsedMs = performance.now() - startedMs;
    expect(elapsedMs).toBeGreaterThanOrEqual(199);
    expect(elapsedMs).toBeLessThan(1_500);
  });

  test("takes as many bits a second as it is told, for all connections together", async () => {
    const first = await through({ bitsPerSecond: 1_000_000 });
    const second = connect(network.port, "127.0.0.1");
    await once(second, "connect");
    const startedMs = performance.now();
    first.write(Buffer.alloc(62_500));
    second.write(Buffer.alloc(62_500));
    await until("everything has come", () => received === 125_000);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(980);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect(network.bytes.up).toBe(125_000);
    second.destroy();
  });

  test("stalls as often as segments are lost, and loses nothing in the end", async () => {
    const socket = await through({ lossRate: 0.2, delayMs: 10 });
    await send(socket, 1_400 * 200);
    // 200 segments and the sender's own repeats: 0.2 / (1 - 0.2) of 200 stalls are expected, and the answers' few.
    expect(network.stalls).toBeGreaterThan(25);
    expect(network.stalls).toBeLessThan(110);
    expect(received).toBe(280_000);
  });

  test("keeps the order of bytes under jitter", async () => {
    const socket = await through({ jitterMs: 40 });
    let answers = "";
    socket.on("data", (chunk: Buffer) => (answers += chunk.toString()));
    for (let size = 1; size <= 30; size++) {
      socket.write(Buffer.alloc(size));
      await delay(3);
    }
    await until("everything has come", () => received === (30 * 31) / 2);
    await until(
      "every answer",
      () =>
        answers
          .trim()
          .split("\n")
          .reduce((sum, n) => sum + Number(n), 0) === 465,
    );
  });

  test("holds back a sender whose bytes do not fit on it", async () => {
    const socket = await through({ bitsPerSecond: 100_000 });
    socket.write(Buffer.alloc(16 * 1024 * 1024));
    await delay(300);
    expect(network.bytes.up).toBeLessThan(100_000);
    expect(socket.writableLength).toBeGreaterThan(4 * 1024 * 1024);
    socket.destroy();
  });
});

describe("a line that breaks", () => {
  test("is cut, and carries new connections", async () => {
    const socket = await through({});
    await send(socket, 10);
    const closed = once(socket, "close");
    network.cut();
    await closed;
    const again = connect(network.port, "127.0.0.1");
    await once(again, "connect");
    await send(again, 10);
    again.destroy();
  });

  test("is reset", async () => {
    const socket = await through({});
    await send(socket, 10);
    const failed = once(socket, "error");
    network.reset();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });

  test("swallows everything for a while, and delivers it late", async () => {
    const socket = await through({});
    await send(socket, 10);
    network.blackHole();
    socket.write(Buffer.alloc(20));
    await delay(300);
    expect(received).toBe(10);
    expect(socket.destroyed).toBe(false);
    network.open();
    await until("what was late", () => received === 30);
  });

  test("goes away on one side only", async () => {
    const socket = await through({});
    await send(socket, 10);
    network.halfOpen();
    socket.write(Buffer.alloc(20));
    await delay(300);
    expect(received).toBe(10);
    expect(socket.destroyed).toBe(false);
  });

  test("refuses", async () => {
    const socket = await through({});
    const closed = once(socket, "close");
    network.refuse();
    await closed;
    const again = connect(network.port, "127.0.0.1");
    await once(again, "close");
  });
});
