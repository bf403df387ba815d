import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { HuishiError } from "@huishi/kernel";
import { until } from "@huishi/testkit";
import { generate, type Packet, parser as createParser } from "mqtt-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BrokerConnection, type BrokerConnectionOptions, type MqttVersion } from "./broker-connection.ts";
import { OutgoingMessages } from "./outgoing-messages.ts";

/** A broker that says what the test says, over real TCP. */
class ScriptedBroker {
  readonly got: Packet[] = [];
  readonly #server: Server;
  readonly #version: MqttVersion;
  #socket: Socket | null = null;

  constructor(version: MqttVersion) {
    this.#version = version;
    this.#server = createServer((socket) => this.#accept(socket)).listen(0, "127.0.0.1");
  }

  get listening(): Promise<unknown> {
    return once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  say(...packets: Packet[]): void {
    this.#socket?.write(
      Buffer.concat(packets.map((packet) => generate(packet, { protocolVersion: this.#version }))),
    );
  }

  welcome(more: Partial<Extract<Packet, { cmd: "connack" }>> = {}): void {
    const code = this.#version === 5 ? { reasonCode: 0 } : { returnCode: 0 };
    this.say({ cmd: "connack", sessionPresent: false, ...code, ...more });
  }

  event(messageId: number, payload = "x"): void {
    this.say({ cmd: "publish", topic: "t", payload, qos: 1, messageId, dup: false, retain: false });
  }

  of<C extends Packet["cmd"]>(cmd: C): Extract<Packet, { cmd: C }>[] {
    return this.got.filter((packet): packet is Extract<Packet, { cmd: C }> => packet.cmd === cmd);
  }

  drop(): void {
    this.#socket?.destroy();
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#socket = socket;
    socket.on("error", () => {});
    const parser = createParser({ protocolVersion: this.#version });
    parser.on("packet", (packet) => this.got.push(packet));
    socket.on("data", (chunk) => parser.parse(chunk));
  }
}

describe.each([4, 5] as const)("with MQTT version %i", (version) => {
  let broker: ScriptedBroker;
  let stop: AbortController;
  let running: Promise<unknown>;
  let settles: { payload: string; resolve(): void; reject(fault: Error): void }[];
  let oversized: string[];
  let isUp: boolean;
  const outgoing = new OutgoingMessages();

  const start = (more: Partial<BrokerConnectionOptions> = {}): void => {
    const connection = new BrokerConnection({
      name: "test",
      version,
      sessionExpirySeconds: 60,
      keepAliveSeconds: 1,
      window: 4,
      qos: 1,
      maxPacketBytes: 1_000,
      open: () => Promise.resolve(connect(broker.port, "127.0.0.1")),
      credentials: () => Promise.resolve({ clientId: "c", username: "u", password: Buffer.from("p") }),
      filters: (canShare) => [canShare ? "$share/g/t" : "t"],
      outgoing,
      onMessage: (_connection, _topic, payload) =>
        new Promise<void>((resolve, reject) =>
          settles.push({ payload: payload.toString(), resolve, reject }),
        ),
      onOversized: (topic) => oversized.push(topic),
      onUp: () => (isUp = true),
      onDown: () => (isUp = false),
      onRefusedPublish: () => {},
      ...more,
    });
    running = connection.run(stop.signal).catch((thrown: unknown) => thrown);
  };
  const startUp = async (): Promise<void> => {
    start();
    await until("CONNECT", () => broker.of("connect").length === 1);
    broker.welcome();
    await until("SUBSCRIBE", () => broker.of("subscribe").length === 1);
    broker.say({ cmd: "suback", messageId: broker.of("subscribe")[0]?.messageId ?? 0, granted: [1] });
    await until("up", () => isUp);
  };

  beforeEach(async () => {
    broker = new ScriptedBroker(version);
    await broker.listening;
    stop = new AbortController();
    settles = [];
    oversized = [];
    isUp = false;
  });
  afterEach(async () => {
    stop.abort(new Error("the test ends"));
    await broker.close();
    await running;
  });

  test("it asks for a session that outlives it, with its window where the version has one", async () => {
    await startUp();
    const [packet] = broker.of("connect");
    expect(packet).toMatchObject({ clean: false, clientId: "c", username: "u", keepalive: 1 });
    if (version === 5)
      expect(packet?.properties).toMatchObject({
        sessionExpiryInterval: 60,
        receiveMaximum: 4,
        maximumPacketSize: 1_000,
      });
    expect(broker.of("subscribe")[0]?.subscriptions[0]?.topic).toBe(version === 5 ? "$share/g/t" : "t");
  });

  test("PUBACKs go out when their messages are settled, in the order of arrival", async () => {
    await startUp();
    for (const id of [11, 12, 13]) broker.event(id);
    await until("all arrived", () => settles.length === 3);
    settles[2]?.resolve();
    settles[1]?.resolve();
    broker.say({ cmd: "pingresp" });
    await until("a ping", () => broker.of("pingreq").length > 0);
    expect(broker.of("puback")).toEqual([]);
    settles[0]?.resolve();
    await until("PUBACKs", () => broker.of("puback").length === 3);
    expect(broker.of("puback").map(({ messageId }) => messageId)).toEqual([11, 12, 13]);
  });

  test("pings go on while a message waits, and their answers keep the connection", async () => {
    await startUp();
    broker.event(1);
    let answered = 0;
    await until("five pings", () => {
      for (; answered < broker.of("pingreq").length; answered++) broker.say({ cmd: "pingresp" });
      return answered >= 5;
    });
    expect(isUp).toBe(true);
    expect(broker.of("puback")).toEqual([]);
  });

  test("beyond the window nothing more is read, and yet the connection stays", async () => {
    await startUp();
    for (let id = 1; id <= 5; id++) broker.event(id, "y".repeat(900));
    await until("the first", () => settles.length === 5);
    for (let id = 6; id <= 400; id++) broker.event(id, "y".repeat(900));
    // No ping is answered meanwhile, for longer than its deadline.
    await until("pings", () => broker.of("pingreq").length >= 5);
    expect({ arrived: settles.length, isUp }).toEqual({ arrived: 5, isUp: true });
    for (const each of settles) each.resolve();
    await until("more", () => settles.length > 5);
  });

  test("a broker that answers no ping is left", async () => {
    await startUp();
    expect(await running).toMatchObject({ code: "BROKER_SILENT" });
  });

  test("a message that is not taken is not acknowledged, and ends the connection", async () => {
    await startUp();
    broker.event(1);
    await until("it arrived", () => settles.length === 1);
    settles[0]?.reject(new HuishiError("NOT_COMMITTED", "gone"));
    expect(await running).toMatchObject({ code: "BROKER_CLOSED" });
    expect(broker.of("puback")).toEqual([]);
  });

  test("an oversized message is dropped unread and acknowledged", async () => {
    await startUp();
    broker.event(1, "z".repeat(100_000));
    broker.event(2, "small");
    await until("the next one", () => settles.length === 1);
    expect({ oversized, payload: settles[0]?.payload }).toEqual({ oversized: ["t"], payload: "small" });
    await until("its PUBACK", () => broker.of("puback").length === 1);
    expect(broker.of("puback")[0]?.messageId).toBe(1);
  });

  test("what the broker did not acknowledge is sent again on the next connection", async () => {
    await startUp();
    outgoing.publish({ topic: "a", payload: Buffer.from("1"), retain: false });
    await until("it came", () => broker.of("publish").length === 1);
    const messageId = broker.of("publish")[0]?.messageId ?? 0;
    broker.drop();
    expect(await running).toBeInstanceOf(HuishiError);
    broker.got.splice(0);
    start();
    await until("CONNECT", () => broker.of("connect").length === 1);
    broker.welcome({ sessionPresent: true });
    await until("it came again", () => broker.of("publish").length === 1);
    expect(broker.of("publish")[0]).toMatchObject({ dup: true, messageId, topic: "a" });
    broker.say({ cmd: "puback", messageId });
    await until("another id", () => outgoing.nextId() !== messageId);
  });

  test("a session of the other version leaves no second subscription behind", async () => {
    start();
    await until("CONNECT", () => broker.of("connect").length === 1);
    broker.welcome({ sessionPresent: true });
    await until("SUBSCRIBE", () => broker.of("subscribe").length === 1);
    const [mine, others] = version === 5 ? ["$share/g/t", "t"] : ["t", "$share/g/t"];
    expect(broker.of("unsubscribe")[0]?.unsubscriptions).toEqual([others]);
    expect(broker.of("subscribe")[0]?.subscriptions.map(({ topic }) => topic)).toEqual([mine]);
  });

  test("a refused sign-in and a refused subscription are told apart", async () => {
    start();
    await until("CONNECT", () => broker.of("connect").length === 1);
    broker.welcome(version === 5 ? { reasonCode: 0x87 } : { returnCode: 5 });
    expect(await running).toMatchObject({ code: "BROKER_REFUSED" });
    broker.got.splice(0);
    start();
    await until("CONNECT", () => broker.of("connect").length === 1);
    broker.welcome();
    await until("SUBSCRIBE", () => broker.of("subscribe").length === 1);
    broker.say({ cmd: "suback", messageId: 1, granted: [0x80] });
    expect(await running).toMatchObject({ code: "BROKER_SUBSCRIPTION_REFUSED" });
  });

  test("on the way out it says goodbye", async () => {
    await startUp();
    stop.abort(new Error("closing"));
    await until("DISCONNECT", () => broker.of("disconnect").length === 1);
    broker.drop();
    expect(await running).toBeUndefined();
  });
});
