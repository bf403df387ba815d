// Eight cameras and their agent: seven that behave, and one place for whatever does not.
import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import { createLogger } from "@huishi/platform";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { Writable } from "node:stream";
import { expect } from "vitest";
import { type EdgeAgent, startEdgeAgent } from "../../compose.ts";
import type { CameraConfig } from "../../config.ts";
import { CLAIM_CODE, TestCentre, until } from "../../test-support/centre.ts";

const HOSTILE = "hostile";
const NEIGHBOURS = 7;
/** The machine is shared by cameras, agent and centre of the test: bounds of sanity, not of speed. */
const MAX_LOOP_DELAY_MS = 1_500;
const MAX_MEMORY_GROWTH_BYTES = 250 * 1024 * 1024;

/** Counts who connects: nobody may. */
class Canary {
  readonly #server: Server;
  connections = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      socket.destroy();
    });
  }

  static async start(): Promise<Canary> {
    const canary = new Canary();
    await new Promise<void>((resolve) => canary.#server.listen(0, "127.0.0.1", resolve));
    return canary;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Mark {
  readonly units: readonly number[];
  readonly rssBytes: number;
}

export class HostileSite {
  readonly simulator: CameraSimulator;
  readonly centre: TestCentre;
  readonly canary: Canary;
  log = "";
  readonly #folder: string;
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });
  #neighbours: SimulatedCamera[] = [];
  #agent: EdgeAgent | undefined;

  private constructor(folder: string, centre: TestCentre, canary: Canary) {
    this.#folder = folder;
    this.centre = centre;
    this.canary = canary;
    this.simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
  }

  static async start(): Promise<HostileSite> {
    const folder = await mkdtemp(join(tmpdir(), "huishi-hostile-"));
    const site = new HostileSite(folder, await TestCentre.start(), await Canary.start());
    const source = {
      kind: "clip",
      codec: "h264",
      width: 160,
      height: 120,
      fps: 10,
      groupSeconds: 1,
    } as const;
    for (let index = 0; index < NEIGHBOURS; index++)
      site.#neighbours.push(await site.simulator.start({ name: `Neighbour ${index}`, source }));
    return site;
  }

  /** Starts the agent with the seven and this one, and waits until the seven flow. */
  async run(hostile: Omit<CameraConfig, "id">): Promise<void> {
    const destination = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.log += chunk.toString();
        done();
      },
    });
    this.#agent = await startEdgeAgent({
      stateDir: await mkdtemp(join(this.#folder, "state-")),
      serverUrl: this.centre.serverUrl,
      claimCode: CLAIM_CODE,
      cameras: [
        ...this.#neighbours.map(({ rtspMainUrl }, i) => ({ id: `n-${i}`, rtsp: { main: rtspMainUrl } })),
        { id: HOSTILE, ...hostile },
      ],
      discovery: { enabled: false },
      // Conditions are the connection's own here; what the picture watch finds has tests of its own.
      watchPictures: false,
      logger: createLogger({ name: "edge-agent", destination }),
      timings: { healthIntervalMs: 300, authRetryMs: 1_000, retry: { baseDelayMs: 100, maxDelayMs: 300 } },
    });
    for (const id of [...this.#neighbours.map((_, i) => `n-${i}`), HOSTILE])
      this.centre.demand(id, ["main"], 600_000);
    await until("the seven flow", () => this.#units().every((count) => count > 5), 30_000);
    this.#loop.enable();
  }

  /** Ends the agent, so that another can be run with another eighth camera. */
  async end(): Promise<void> {
    this.#loop.disable();
    await this.#agent?.close();
    this.#agent = undefined;
    this.centre.units.clear();
    this.centre.events.length = 0;
  }

  async stop(): Promise<void> {
    await this.end();
    await this.simulator.stop();
    await this.centre.stop();
    await this.canary.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What the neighbours' pictures are measured from. */
  mark(): Mark {
    this.#loop.reset();
    return { units: this.#units(), rssBytes: process.memoryUsage().rss };
  }

  /** The seven have sent so many pictures more since the mark, with no number missing, and nothing stood still. */
  async expectUnharmed(since: Mark, pictures = 15): Promise<void> {
    await until(
      "the seven flow on",
      () => this.#units().every((count, i) => count >= (since.units[i] ?? 0) + pictures),
      60_000,
    );
    for (let index = 0; index < NEIGHBOURS; index++) {
      const units = this.centre
        .unitsOf(`n-${index}`, "main")
        .slice(Math.max(0, (since.units[index] ?? 1) - 1));
      const gaps = units.filter(
        (unit, i) => i > 0 && (unit.discontinuity || unit.unitNumber !== (units[i - 1]?.unitNumber ?? 0) + 1),
      );
      expect(gaps, `gaps of neighbour ${index}`).toEqual([]);
    }
    expect(this.#conditionsOfOthers()).toEqual([]);
    expect(this.#loop.max / 1e6, "event loop, milliseconds").toBeLessThan(MAX_LOOP_DELAY_MS);
    expect(process.memoryUsage().rss - since.rssBytes).toBeLessThan(MAX_MEMORY_GROWTH_BYTES);
  }

  /** Waits for a fault of the hostile camera that is told after `afterEvents` of its health events. */
  async fault(afterEvents: number): Promise<{ readonly condition: string; readonly code: string }> {
    const found = await until(
      "a coded condition of the hostile camera",
      () =>
        this.healthEvents()
          .slice(afterEvents)
          .find(({ code }) => code !== undefined),
      70_000,
    );
    return { condition: found.condition, code: found.code as string };
  }

  healthEvents() {
    return this.centre.eventsOf("camera_health").filter(({ cameraId }) => cameraId === HOSTILE);
  }

  hostileUnits(): number {
    return this.centre.unitsOf(HOSTILE, "main").length;
  }

  #units(): number[] {
    return this.#neighbours.map((_, i) => this.centre.unitsOf(`n-${i}`, "main").length);
  }

  /** Faults that a neighbour was said to have. */
  #conditionsOfOthers(): string[] {
    return this.centre
      .eventsOf("camera_health")
      .filter(({ cameraId, code }) => cameraId !== HOSTILE && code !== undefined)
      .map(({ cameraId, code }) => `${cameraId} ${String(code)}`);
  }
}
