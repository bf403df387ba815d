import fc from "fast-check";
import { expect, test } from "vitest";
import { ClipRoom, type RoomBook, type RoomFile, type RoomFiles } from "./clip-room.ts";

const HOUR = 3_600_000;
const NOW = 100 * HOUR;

/** Files and rows in memory; clips older than `releasedBefore` and not held may go. */
class Folder implements RoomFiles, RoomBook {
  files: RoomFile[] = [];
  held = new Set<string>();
  releasedBefore = NOW - 10 * HOUR;
  tombs: string[] = [];
  inProgress = new Set<string>();
  told: unknown[] = [];

  add(id: string, bytes: number, ageHours: number, kind: "clip" | "part" = "clip"): void {
    this.files.push({ id, kind, bytes, changedMs: NOW - ageHours * HOUR });
  }
  get total(): number {
    return this.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  get ids(): string[] {
    return this.files.map(({ id }) => id).toSorted();
  }
  async list() {
    return [...this.files];
  }
  async remove(id: string) {
    this.files = this.files.filter((file) => file.id !== id);
  }
  async discard(id: string) {
    this.files = this.files.filter((file) => file.id !== id || file.kind !== "part");
  }
  #expendable(): RoomFile[] {
    return this.files
      .filter(({ id, kind }) => kind === "clip" && !this.held.has(id) && !this.tombs.includes(id))
      .filter(({ changedMs }) => changedMs < this.releasedBefore)
      .toSorted((a, b) => a.changedMs - b.changedMs);
  }
  async giveUp(bytes: number) {
    let freed = 0;
    for (const { id, bytes: own } of this.#expendable()) {
      if (freed >= bytes) break;
      freed += own;
      this.tombs.push(id);
    }
  }
  async hasExpendable() {
    return this.#expendable().length > 0;
  }
  async gone() {
    return [...this.tombs];
  }
  async filesGone(ids: readonly string[]) {
    this.tombs = this.tombs.filter((id) => !ids.includes(id));
  }
  async coming(ids: readonly string[]) {
    return new Set(ids.filter((id) => this.inProgress.has(id)));
  }
  async tell(room: unknown) {
    this.told.push(room);
  }
}

const roomOf = (folder: Folder, maxBytes = 1_000): ClipRoom =>
  new ClipRoom({ book: folder, files: folder, maxBytes, wallMs: () => NOW });

test("room is made of the oldest that the minimum has released, and of no more than is needed", async () => {
  const folder = new Folder();
  folder.add("oldest", 400, 30);
  folder.add("older", 400, 20);
  folder.add("young", 150, 5);
  const room = roomOf(folder);
  expect(await room.take(100)).toBe(true);
  expect(folder.ids).toEqual(["older", "young"]);
  expect(room.counts).toEqual({ refused: 0, removed: 1 });
});

test("what is held stays, however old; when nothing may go what comes is refused, and room ends that", async () => {
  const folder = new Folder();
  folder.add("held", 500, 30);
  folder.add("young", 480, 5);
  folder.held.add("held");
  const room = roomOf(folder);
  expect(await room.take(100)).toBe(false);
  expect(folder.ids).toEqual(["held", "young"]);
  expect(room.isFull).toBe(true);
  await room.tidy();
  expect(room.isFull).toBe(true);
  expect(folder.told).toEqual([{ maxBytes: 1_000, usedBytes: 980, isFull: true }]);
  folder.held.clear();
  await room.tidy();
  expect(room.isFull).toBe(false);
  expect(await room.take(100)).toBe(true);
  expect(folder.ids).toEqual(["young"]);
  expect(room.counts).toEqual({ refused: 1, removed: 1 });
});

test("files go after their rows, and parts that nobody sends any more", async () => {
  const folder = new Folder();
  folder.add("expired", 10, 50);
  folder.tombs.push("expired");
  folder.add("given-up", 10, 3, "part");
  folder.add("coming", 10, 3, "part");
  folder.add("just-begun", 10, 0, "part");
  folder.inProgress.add("coming");
  await roomOf(folder).tidy();
  expect(folder.ids).toEqual(["coming", "just-begun"]);
  expect(folder.tombs).toEqual([]);
});

test("many at once never take more than there is, nor anything held or young", async () => {
  const clip = fc.record({ bytes: fc.integer({ min: 1, max: 400 }), age: fc.nat(40), held: fc.boolean() });
  const takes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.array(clip, { maxLength: 8 }), takes, async (clips, sizes) => {
      const folder = new Folder();
      clips.forEach(({ bytes, age, held }, i) => {
        folder.add(`c${i}`, bytes, age);
        if (held) folder.held.add(`c${i}`);
      });
      const before = folder.total;
      const mustStay = folder.files.filter(
        ({ id, changedMs }) => folder.held.has(id) || changedMs >= folder.releasedBefore,
      );
      const room = roomOf(folder);
      await Promise.all(
        sizes.map(async (bytes, i) => {
          if (await room.take(bytes)) folder.add(`n${i}`, bytes, 0, "part");
        }),
      );
      for (const { id } of mustStay) expect(folder.ids).toContain(id);
      expect(folder.total).toBeLessThanOrEqual(Math.max(1_000, before));
    }),
  );
});
