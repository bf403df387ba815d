import { ManualClock } from "@huishi/kernel";
import { expect, test } from "vitest";
import { createLogger, repeatSummary } from "./logger.ts";

const logged = (write: (logger: ReturnType<typeof createLogger>) => void): string => {
  let text = "";
  write(createLogger({ name: "test", destination: { write: (line: string) => void (text += line) } }));
  return text;
};

test("secrets are redacted by name, two levels down", () => {
  const text = logged((log) =>
    log.info(
      { password: "hush", camera: { secret: "hush", login: { token: "hush" } }, cameraId: "north" },
      "m",
    ),
  );
  expect(text).not.toContain("hush");
  expect(text).toContain('"cameraId":"north"');
});

test("credentials are cut out of every URL: in fields, errors and messages", () => {
  const text = logged((log) =>
    log.warn(
      {
        url: "rtsp://admin:hush@10.0.0.9/live",
        camera: { urls: ["http://admin:hush@10.0.0.9/"] },
        err: new Error("cannot open rtsp://admin:hush@10.0.0.9/live", {
          cause: new Error("postgres://u:hush@h/d"),
        }),
      },
      "no picture from rtsp://admin:hush@10.0.0.9/live",
    ),
  );
  expect(text).not.toContain("hush");
  expect(text).toContain("rtsp://***@10.0.0.9/live");
});

test("a repeated fault is told once a period, with the count of what was swallowed", () => {
  const clock = new ManualClock(0);
  const repeats = repeatSummary({ periodMs: 1000, clock });
  expect([repeats.note("a"), repeats.note("a"), repeats.note("b"), repeats.note("a")]).toEqual([
    0,
    null,
    0,
    null,
  ]);
  clock.advance(1000);
  expect(repeats.note("a")).toBe(2);
});
