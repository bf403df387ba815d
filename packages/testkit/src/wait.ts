import { HuishiError, messageOf, sleep } from "@huishi/kernel";

/** Asks again every 25 ms until `check` gives something truthy; fails with what it last gave. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  withinMs = 15_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const endsAtMs = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value as NonNullable<Exclude<T, false>>;
      last = value;
    } catch (thrown) {
      last = messageOf(thrown);
    }
    if (performance.now() > endsAtMs) {
      throw new HuishiError(
        "TEST_WAIT",
        `waited ${withinMs} ms in vain for: ${what} (last: ${String(last)})`,
      );
    }
    await sleep(25);
  }
}
