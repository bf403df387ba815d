import { type AccessUnit, BUS_DEMAND_LEASE_MS, type MediaBus, type Sampling } from "@huishi/contracts";
import { hasNatsServer, NatsServer, until } from "@huishi/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { InProcessMediaBus } from "./in-process-media-bus.ts";
import { NatsConnection } from "./nats/nats-connection.ts";
import { NatsMediaBus } from "./nats/nats-media-bus.ts";

const KEY = { cameraId: "north", profile: "sub" } as const;
const logger = createLogger({ name: "test", level: "silent" });
const unit = (unitNumber: number, more: Partial<AccessUnit> = {}): AccessUnit => ({
  codec: "h264",
  keyframe: false,
  discontinuity: false,
  unitNumber,
  capturedAtMs: unitNumber * 40,
  ptsMs: unitNumber * 40,
  data: Uint8Array.from({ length: 10 }, (_, i) => i + unitNumber),
  ...more,
});
const wanted = (bus: MediaBus): string[] => bus.demands().map((key) => `${key.cameraId}/${key.profile}`);

/** The same bus seen by whoever publishes and whoever subscribes; they may be two processes. */
interface Ends {
  readonly publisher: MediaBus;
  readonly subscriber: MediaBus;
  readonly close: () => Promise<void>;
}

interface Collected {
  readonly units: AccessUnit[];
  readonly numbers: () => number[];
  readonly leave: () => void;
}

function collect(bus: MediaBus, sampling?: Sampling): Collected {
  const units: AccessUnit[] = [];
  return {
    units,
    numbers: () => units.map(({ unitNumber }) => unitNumber),
    leave: bus.subscribe(KEY, (got) => units.push(got), sampling),
  };
}

let nats: NatsServer;
const running: { stop: AbortController; ended: Promise<void> }[] = [];

function natsBus(member: string, port = nats.port): NatsMediaBus {
  const connection = new NatsConnection({
    host: "127.0.0.1",
    port,
    tls: null,
    credentials: { kind: "none" },
    name: member,
    onRefused: () => undefined,
  });
  const bus = new NatsMediaBus({ connection, member, logger, lingerMs: 0 });
  const stop = new AbortController();
  running.push({ stop, ended: bus.run(stop.signal) });
  return bus;
}

async function stopAll(): Promise<void> {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.splice(0).map(({ ended }) => ended));
}

const isHere = hasNatsServer();
const kinds: [string, boolean, () => Promise<Ends>][] = [
  [
    "in process",
    true,
    () => {
      const bus = new InProcessMediaBus({ lingerMs: 0 });
      return Promise.resolve({ publisher: bus, subscriber: bus, close: () => Promise.resolve() });
    },
  ],
  [
    "over NATS",
    isHere,
    async () => {
      const [publisher, subscriber] = [natsBus("publisher"), natsBus("subscriber")];
      await until(
        "both are connected",
        () => publisher.stats().isConnected && subscriber.stats().isConnected,
      );
      return { publisher, subscriber, close: stopAll };
    },
  ],
];

if (isHere) {
  beforeAll(async () => {
    nats = await NatsServer.start();
  });
  afterAll(() => nats.remove());
}

describe.each(kinds)("a media bus, %s", (_, isPossible, open) => {
  let ends: Ends;
  beforeEach(async (context) => {
    if (!isPossible) context.skip();
    ends = await open();
  });
  afterEach(() => ends?.close());

  /** Subscribes and waits until the publisher knows. */
  async function subscribed(sampling?: Sampling): Promise<Collected> {
    const collected = collect(ends.subscriber, sampling);
    await until("the publisher knows", () => wanted(ends.publisher).includes("north/sub"));
    return collected;
  }

  it("brings units whole and in order, small and large", async () => {
    const { units } = await subscribed();
    const sent = [
      unit(1, { keyframe: true, data: new Uint8Array(300_000).fill(7) }),
      unit(2),
      unit(3, { discontinuity: true, codec: "h265" }),
      unit(4, { keyframe: true, data: new Uint8Array(7 * 1024 * 1024).fill(9) }),
    ];
    for (const one of sent) ends.publisher.publish(KEY, one);
    await until("all are there", () => units.length === sent.length);
    units.forEach((got, i) => {
      expect({ ...got, data: 0 }).toEqual({ ...(sent[i] as AccessUnit), data: 0 });
      expect(Buffer.compare(got.data, (sent[i] as AccessUnit).data)).toBe(0);
    });
  });

  it("gives a newcomer the current group of pictures, then what follows", async () => {
    const first = await subscribed();
    for (const one of [unit(1, { keyframe: true }), unit(2), unit(3, { keyframe: true }), unit(4)])
      ends.publisher.publish(KEY, one);
    await until("the first has them", () => first.units.length === 4);
    const second = collect(ends.subscriber);
    ends.publisher.publish(KEY, unit(5));
    await until("the second has what follows", () => second.units.length === 3);
    expect(second.numbers()).toEqual([3, 4, 5]);
    expect(first.numbers()).toEqual([1, 2, 3, 4, 5]);
  });

  it("wants as much as the most demanding subscriber, and tells when that changes", async () => {
    const said: string[] = [];
    ends.publisher.onDemand((key, is) => said.push(is ? ends.publisher.samplingOf(key).kind : "nothing"));
    const few = await subscribed({ kind: "keyframes" });
    const all = collect(ends.subscriber);
    await until("all is wanted", () => ends.publisher.samplingOf(KEY).kind === "all");
    all.leave();
    await until("less is wanted", () => ends.publisher.samplingOf(KEY).kind === "keyframes");
    few.leave();
    await until("nothing is wanted", () => ends.publisher.demands().length === 0);
    expect(said).toEqual(["keyframes", "all", "keyframes", "nothing"]);
  });

  it("brings scenes to the listeners of their camera", async () => {
    const seen: number[] = [];
    const leave = ends.subscriber.subscribeScenes("north", (scene) => seen.push(scene.capturedAtMs));
    const north = (capturedAtMs: number): void =>
      ends.publisher.publishScene({ cameraId: "north", capturedAtMs, tracks: [] });
    // A subscription takes a moment to be known to the server.
    let t = 0;
    await until("it listens", () => {
      north((t += 1));
      return seen.length > 0;
    });
    ends.publisher.publishScene({ cameraId: "south", capturedAtMs: 1_000_000, tracks: [] });
    north(2_000_000);
    await until("the last is there", () => seen.includes(2_000_000));
    expect(seen).not.toContain(1_000_000);
    leave();
  });

  it("survives a listener that throws", async () => {
    ends.subscriber.subscribe(KEY, () => {
      throw new Error("listener");
    });
    const { units } = await subscribed();
    ends.publisher.publish(KEY, unit(1, { keyframe: true }));
    await until("the other has it", () => units.length === 1);
  });
});

describe.skipIf(!isHere)("the media bus between processes", () => {
  afterEach(stopAll);

  it("gives a process that joins the current group, while another is watching", async () => {
    const [ingest, first, second] = [natsBus("ingest"), natsBus("first"), natsBus("second")];
    const one = collect(first);
    await until("wanted", () => wanted(ingest).length === 1);
    for (const sent of [unit(1, { keyframe: true }), unit(2), unit(3)]) ingest.publish(KEY, sent);
    await until("the first has them", () => one.units.length === 3);
    const two = collect(second);
    await until("the second joined", () => ingest.stats().members === 2);
    ingest.publish(KEY, unit(4));
    await until("the second has all", () => two.units.length === 4);
    expect(two.numbers()).toEqual([1, 2, 3, 4]);
    expect(one.numbers()).toEqual([1, 2, 3, 4]);
  });

  it("drops the rest of a group of which a unit was lost on the way, and counts it", async () => {
    const [ingest, viewer] = [natsBus("ingest"), natsBus("viewer")];
    const { units, numbers } = collect(viewer);
    await until("wanted", () => wanted(ingest).length === 1);
    // Unit 2 never was on the bus, and the source said nothing of it.
    for (const sent of [unit(1, { keyframe: true }), unit(3), unit(4), unit(5, { keyframe: true }), unit(6)])
      ingest.publish(KEY, sent);
    await until("it goes on", () => units.length === 3);
    expect(numbers()).toEqual([1, 5, 6]);
    expect(viewer.stats().droppedUnits).toBe(2);
  });

  it("leaves out whole groups when the network is behind, marks the gap, and goes on", async () => {
    const [ingest, viewer] = [natsBus("ingest"), natsBus("viewer")];
    const { units } = collect(viewer);
    await until("wanted", () => wanted(ingest).length === 1);
    process.kill(nats.pid, "SIGSTOP");
    const data = new Uint8Array(2 * 1024 * 1024);
    for (let n = 1; n <= 40; n++) {
      ingest.publish(KEY, unit(n, { keyframe: n % 5 === 1, data }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ingest.stats().droppedUnits).toBeGreaterThan(20);
    process.kill(nats.pid, "SIGCONT");
    let n = 41;
    await until("it goes on", () => {
      ingest.publish(KEY, unit(n, { keyframe: n % 5 === 1 }));
      n += 1;
      return (units.at(-1)?.unitNumber ?? 0) > 45;
    });
    // What arrives is decodable: after every gap a keyframe that says so.
    units.forEach((got, i) => {
      const before = units[i - 1];
      if (before && got.unitNumber !== before.unitNumber + 1)
        expect(got).toMatchObject({ keyframe: true, discontinuity: true });
    });
  });

  it("goes on after the server was killed and came back", async () => {
    const [ingest, viewer] = [natsBus("ingest"), natsBus("viewer")];
    const { units } = collect(viewer, { kind: "keyframes" });
    await until("wanted", () => wanted(ingest).length === 1);
    await nats.stop("SIGKILL");
    await until("it is noticed", () => !ingest.stats().isConnected && !viewer.stats().isConnected);
    ingest.publish(KEY, unit(1, { keyframe: true }));
    await nats.run();
    await until("both are back", () => ingest.stats().isConnected && viewer.stats().isConnected);
    let n = 2;
    await until("pictures come again", () => {
      ingest.publish(KEY, unit(n, { keyframe: true }));
      n += 1;
      return units.length > 0;
    });
    expect(ingest.samplingOf(KEY)).toEqual({ kind: "keyframes" });
  });

  it("tells an ingest that starts later what is wanted", async () => {
    const viewer = natsBus("viewer");
    collect(viewer);
    await until("connected", () => viewer.stats().isConnected);
    const ingest = natsBus("ingest");
    await until("wanted", () => wanted(ingest).length === 1);
  });

  it("ends the demand of a process that died without a word when its lease ends", async () => {
    const ingest = natsBus("ingest");
    const dead = new NatsConnection({
      host: "127.0.0.1",
      port: nats.port,
      tls: null,
      credentials: { kind: "none" },
      name: "dead",
      onRefused: () => undefined,
    });
    const stop = new AbortController();
    const ended = dead.run(stop.signal);
    await until("connected", () => dead.isConnected && ingest.stats().isConnected);
    const list = {
      v: 1,
      member: "dead",
      part: 0,
      parts: 1,
      streams: [{ ...KEY, sampling: { kind: "all" } }],
    };
    dead.publish("huishi.demand", Buffer.from(JSON.stringify(list)));
    await until("wanted", () => wanted(ingest).length === 1);
    stop.abort();
    await ended;
    await until("not wanted", () => wanted(ingest).length === 0, BUS_DEMAND_LEASE_MS + 10_000);
  });

  it("counts garbage on its subjects and goes on", async () => {
    const [ingest, viewer] = [natsBus("ingest"), natsBus("viewer")];
    const { units } = collect(viewer);
    viewer.subscribeScenes("north", () => undefined);
    await until("wanted", () => wanted(ingest).length === 1);
    const vandal = new NatsConnection({
      host: "127.0.0.1",
      port: nats.port,
      tls: null,
      credentials: { kind: "none" },
      name: "vandal",
      onRefused: () => undefined,
    });
    const stop = new AbortController();
    const ended = vandal.run(stop.signal);
    await until("connected", () => vandal.isConnected);
    vandal.publish("huishi.unit.north.sub", Buffer.from("no fragment"));
    vandal.publish("huishi.demand", Buffer.from('{"v":1,"member":"../../etc","streams":[]}'));
    vandal.publish("huishi.scene.north", Buffer.from("[["));
    await until(
      "counted",
      () => viewer.stats().malformedMessages >= 3 && ingest.stats().malformedMessages >= 1,
    );
    ingest.publish(KEY, unit(1, { keyframe: true }));
    await until("it goes on", () => units.length === 1);
    stop.abort();
    await ended;
  });
});
