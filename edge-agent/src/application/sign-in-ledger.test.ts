import { expect, test } from "vitest";
import { EdgeError } from "../domain/faults.ts";
import { recordedLog } from "../test-support/recorded-log.ts";
import { type SignInBook, SignInLedger } from "./sign-in-ledger.ts";

const HOUR = 3_600_000;
const account = { username: "admin", password: "hunter2-secret" };
const refuse = (code: "CAMERA_AUTH_FAILED" | "CAMERA_LOCKED_OUT" = "CAMERA_AUTH_FAILED") => {
  const work = Object.assign(
    async (): Promise<void> => {
      work.calls += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new EdgeError(code, "no");
    },
    { calls: 0 },
  );
  return work;
};

function make() {
  const disk: { book: SignInBook | null; nowMs: number } = { book: null, nowMs: 0 };
  const open = () =>
    SignInLedger.open({
      store: { load: async () => disk.book, save: async (book) => void (disk.book = book) },
      clock: { nowMs: () => disk.nowMs } as never,
      log: recordedLog(),
      restMs: HOUR,
    });
  return { disk, open };
}

test("a refused account is tried once, over all paths that come at the same time and later", async () => {
  const gate = (await make().open()).gate("cam", account);
  const work = refuse();
  await Promise.allSettled([gate.try(work), gate.try(work), gate.follow(work), gate.follow(work)]);
  await expect(gate.follow(work)).rejects.toMatchObject({ code: "CAMERA_AUTH_FAILED" });
  expect(work.calls).toBe(1);
});

test("a restart does not try it again, and nothing on the disk is the password", async () => {
  const { disk, open } = make();
  await (
    await open()
  )
    .gate("cam", account)
    .try(refuse("CAMERA_LOCKED_OUT"))
    .catch(() => undefined);
  const work = refuse();
  await expect((await open()).gate("cam", account).try(work)).rejects.toMatchObject({
    code: "CAMERA_LOCKED_OUT",
  });
  expect(work.calls).toBe(0);
  expect(JSON.stringify(disk.book)).not.toMatch(/hunter2|admin/);
});

test("another password, another camera, or the time of rest opens the gate", async () => {
  const { disk, open } = make();
  const ledger = await open();
  await ledger
    .gate("cam", account)
    .try(refuse())
    .catch(() => undefined);
  expect(await ledger.gate("cam", { ...account, password: "x" }).try(async () => 1)).toBe(1);
  await ledger
    .gate("cam", account)
    .try(refuse())
    .catch(() => undefined);
  expect(await ledger.gate("other", account).try(async () => 2)).toBe(2);
  disk.nowMs = HOUR;
  expect(await ledger.gate("cam", account).try(async () => 3)).toBe(3);
});

test("an account that works is not held up, and other faults are no refusals", async () => {
  const gate = (await make().open()).gate("cam", account);
  await expect(gate.try(() => Promise.reject(new EdgeError("CAMERA_UNREACHABLE", "x")))).rejects.toThrow();
  expect(await gate.try(async () => 1)).toBe(1);
  expect(await Promise.all([gate.follow(async () => 2), gate.try(async () => 3)])).toEqual([2, 3]);
});

test("a camera without an account has no gate", async () => {
  const gate = (await make().open()).gate("cam", null);
  const work = refuse();
  await gate.try(work).catch(() => undefined);
  await gate.try(work).catch(() => undefined);
  expect(work.calls).toBe(2);
});
