import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LeasableCamera, type LeaseLimits, planLeases } from "./lease-plan.ts";

const LIMITS: LeaseLimits = { hysteresis: 0.1, maxMoves: 20 };

/** Workers and cameras without clocks or database: each worker takes its step in turn or all at once. */
class City {
  readonly holders = new Map<string, string | null>();
  readonly weights = new Map<string, number>();
  readonly capacities = new Map<string, number>();
  moves = 0;

  join(id: string, capacity = 1): void {
    this.capacities.set(id, capacity);
  }

  leave(id: string): void {
    this.capacities.delete(id);
    for (const [cameraId, holder] of this.holders) if (holder === id) this.holders.set(cameraId, null);
  }

  addCameras(count: number, weight: (index: number) => number = () => 1): void {
    for (let i = 0; i < count; i++) {
      const cameraId = `cam-${String(this.weights.size).padStart(4, "0")}`;
      this.weights.set(cameraId, weight(i));
      this.holders.set(cameraId, null);
    }
  }

  cameras(holder: string | null): LeasableCamera[] {
    return [...this.holders]
      .filter(([, held]) => held === holder)
      .map(([cameraId]) => ({ cameraId, weight: this.weights.get(cameraId) ?? 0 }));
  }

  load(id: string): number {
    return this.cameras(id).reduce((total, { weight }) => total + weight, 0);
  }

  fill(id: string): number {
    return this.load(id) / (this.capacities.get(id) ?? 1);
  }

  /** One worker's step on what it sees; the database lets it take only what is still free. */
  plan(me: string): () => number {
    const workers = [...this.capacities].map(([id, capacity]) => ({
      id,
      capacity,
      load: this.load(id),
      isFresh: true,
    }));
    const plan = planLeases({ me, workers, mine: this.cameras(me), free: this.cameras(null) }, LIMITS);
    return () => {
      for (const cameraId of plan.giveUp) this.holders.set(cameraId, null);
      const taken = plan.take.filter((cameraId) => this.holders.get(cameraId) === null);
      for (const cameraId of taken) this.holders.set(cameraId, me);
      this.moves += plan.giveUp.length;
      return plan.giveUp.length + taken.length;
    };
  }

  /** Runs until nobody does anything; returns the rounds it took. `isAtOnce`: all see the same, then all act. */
  settle(isAtOnce: boolean, maxRounds = 400): number {
    for (let round = 1; round <= maxRounds; round++) {
      const ids = [...this.capacities.keys()];
      const done = isAtOnce
        ? ids.map((id) => this.plan(id)).reduce((total, act) => total + act(), 0)
        : ids.reduce((total, id) => total + this.plan(id)(), 0);
      if (done === 0) return round;
    }
    throw new Error("it does not settle");
  }
}

const cityArbitrary = fc.record({
  capacities: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 8 }),
  weights: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 60 }),
  isAtOnce: fc.boolean(),
});

function cityOf({ capacities, weights }: { capacities: number[]; weights: number[] }): City {
  const city = new City();
  capacities.forEach((capacity, i) => city.join(`worker-${i}`, capacity));
  city.addCameras(weights.length, (i) => weights[i] ?? 1);
  return city;
}

describe("planLeases", () => {
  it("gives a single worker everything at once", () => {
    const city = new City();
    city.join("a");
    city.addCameras(200);
    city.plan("a")();
    expect(city.load("a")).toBe(200);
  });

  it("shares free cameras by capacity, and no camera falls to two", () => {
    const city = new City();
    city.join("small", 1);
    city.join("large", 3);
    city.addCameras(200);
    const acts = ["small", "large"].map((id) => city.plan(id));
    const taken = acts.map((act) => act());
    expect(taken).toEqual([50, 150]);
  });

  it("moves no more than a newcomer's share when one joins", () => {
    const city = new City();
    for (const id of ["a", "b", "c"]) city.join(id);
    city.addCameras(200);
    city.settle(true);
    city.join("d");
    city.settle(true);
    expect(city.moves).toBeLessThanOrEqual(50);
    expect(city.load("d")).toBeGreaterThanOrEqual(44);
  });

  it("moves only the cameras of one that leaves", () => {
    const city = new City();
    for (const id of ["a", "b", "c", "d"]) city.join(id);
    city.addCameras(200);
    city.settle(true);
    city.leave("b");
    city.settle(true);
    expect(city.moves).toBe(0);
    expect(["a", "c", "d"].map((id) => city.load(id)).sort((a, b) => a - b)).toEqual([66, 67, 67]);
  });

  it("gives up no more than allowed in one round", () => {
    const city = new City();
    city.join("a");
    city.addCameras(200);
    city.settle(true);
    city.join("b");
    city.plan("a")();
    expect(city.moves).toBe(LIMITS.maxMoves);
  });

  it("leaves a difference within the hysteresis alone", () => {
    const mine = Array.from({ length: 52 }, (_, i) => ({ cameraId: `m-${i}`, weight: 1 }));
    const workers = [
      { id: "a", capacity: 1, load: 52, isFresh: true },
      { id: "b", capacity: 1, load: 48, isFresh: true },
    ];
    expect(planLeases({ me: "a", workers, mine, free: [] }, LIMITS).giveUp).toEqual([]);
  });

  it("gives nothing to a worker that was not heard of lately", () => {
    const workers = [
      { id: "a", capacity: 1, load: 0, isFresh: true },
      { id: "silent", capacity: 1, load: 0, isFresh: false },
    ];
    const free = [
      { cameraId: "x", weight: 1 },
      { cameraId: "y", weight: 1 },
    ];
    expect(planLeases({ me: "a", workers, mine: [], free }, LIMITS).take).toEqual(["x", "y"]);
    const held = [{ id: "a", capacity: 1, load: 2, isFresh: true }, workers[1] as (typeof workers)[0]];
    expect(planLeases({ me: "a", workers: held, mine: free, free: [] }, LIMITS).giveUp).toEqual([]);
  });

  it("settles whatever the capacities and weights, leaves nothing free and nobody twice as full for nothing", () => {
    fc.assert(
      fc.property(cityArbitrary, (given) => {
        const city = cityOf(given);
        city.settle(given.isAtOnce);
        expect(city.cameras(null)).toEqual([]);
        const ids = [...city.capacities.keys()];
        for (const full of ids) {
          for (const other of ids) {
            // The fullest keeps no camera that another, with it, would carry with room to spare.
            if (ids.some((id) => city.fill(id) > city.fill(full))) continue;
            for (const { weight } of city.cameras(full)) {
              const after = (city.load(other) + weight) / (city.capacities.get(other) ?? 1);
              if (other !== full) expect(after).toBeGreaterThanOrEqual(city.fill(full) * 0.9 - 1e-9);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("settles again after any joins and leaves", () => {
    fc.assert(
      fc.property(
        cityArbitrary,
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 10 }),
        (given, events) => {
          const city = cityOf(given);
          city.settle(given.isAtOnce);
          for (const event of events) {
            const id = `worker-${event}`;
            if (!city.capacities.has(id)) city.join(id, event + 1);
            else if (city.capacities.size > 1) city.leave(id);
            city.settle(given.isAtOnce);
            expect(city.cameras(null)).toEqual([]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
