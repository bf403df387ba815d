import { HuishiError } from "@huishi/kernel";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { GroupWriter, type GroupWriterOptions } from "./group-writer.ts";

function writer(
  write: (rows: readonly number[]) => Promise<void>,
  options: Partial<GroupWriterOptions<number>> = {},
): GroupWriter<number> {
  return new GroupWriter<number>({
    capacity: 1_000,
    maxRows: 10,
    maxDelayMs: 1,
    retry: { baseDelayMs: 1, maxDelayMs: 2 },
    write,
    onDropped: () => undefined,
    onRetry: () => undefined,
    onRefused: () => undefined,
    ...options,
  });
}

describe("GroupWriter", () => {
  it("writes every row once, in order, whatever fails in between", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(), { maxLength: 25 }), { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        async (pushes, failures) => {
          const written: number[] = [];
          const plan = [...failures];
          const groups = writer(async (rows) => {
            await Promise.resolve();
            if (plan.shift()) throw new Error("the database is away");
            written.push(...rows);
          });
          for (const rows of pushes) groups.push(rows);
          await groups.close(5_000);
          expect(written).toEqual(pushes.flat());
          expect(groups.pending).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("writes groups of at most maxRows", async () => {
    const sizes: number[] = [];
    const groups = writer((rows) => {
      sizes.push(rows.length);
      return Promise.resolve();
    });
    groups.push(Array.from({ length: 25 }, (_, i) => i));
    await groups.close(1_000);
    expect(sizes).toEqual([10, 10, 5]);
  });

  it("puts a refused row aside and writes all the others", async () => {
    const written: number[] = [];
    const refused: number[] = [];
    const groups = writer(
      (rows) => {
        if (rows.includes(7)) return Promise.reject(new HuishiError("RECORD_REFUSED", "7 is out of range"));
        written.push(...rows);
        return Promise.resolve();
      },
      { onRefused: (_, row) => refused.push(row) },
    );
    groups.push([1, 2, 7, 3, 4]);
    await groups.close(1_000);
    expect(written).toEqual([1, 2, 3, 4]);
    expect(refused).toEqual([7]);
  });

  it("drops the oldest beyond its capacity, and counts them", async () => {
    const dropped = vi.fn();
    let isAway = true;
    const written: number[] = [];
    const groups = writer(
      (rows) => {
        if (isAway) return Promise.reject(new Error("away"));
        written.push(...rows);
        return Promise.resolve();
      },
      { capacity: 5, maxRows: 1, onDropped: dropped },
    );
    groups.push([0]);
    await vi.waitFor(() => expect(groups.pending).toBe(1));
    await vi.waitFor(() => {
      groups.push([]);
      expect(groups.pending).toBe(1);
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    groups.push([1, 2, 3, 4, 5, 6, 7]);
    isAway = false;
    await groups.close(1_000);
    expect(written).toEqual([0, 3, 4, 5, 6, 7]);
    expect(dropped).toHaveBeenCalledExactlyOnceWith(2);
  });

  it("gives up at the deadline when closed while the store hangs, and counts what is lost", async () => {
    const dropped = vi.fn();
    const groups = writer(() => new Promise(() => undefined), { onDropped: dropped });
    groups.push([1, 2, 3]);
    await groups.close(20);
    expect(dropped).toHaveBeenCalledExactlyOnceWith(3);
  });
});
