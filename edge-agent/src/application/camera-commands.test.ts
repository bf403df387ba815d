import { expect, test } from "vitest";
import { EdgeError } from "../domain/faults.ts";
import { recordedLog } from "../test-support/recorded-log.ts";
import { CameraCommands } from "./camera-commands.ts";
import type { CameraControl, Uploader } from "./ports.ts";
import { SignInLedger } from "./sign-in-ledger.ts";

const never = new AbortController().signal;

async function make(control: Partial<CameraControl>) {
  const ledger = await SignInLedger.open({
    store: { load: async () => null, save: async () => undefined },
    clock: { nowMs: () => 0 } as never,
    log: recordedLog(),
    restMs: 1_000,
  });
  const gate = ledger.gate("gate", { username: "a", password: "b" });
  const sent: Buffer[] = [];
  const uploader: Uploader = {
    async upload(_transfer, content) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of content.chunks(0)) chunks.push(chunk);
      sent.push(Buffer.concat(chunks));
    },
  };
  const find = (id: string) => (id === "gate" ? { gate, control: () => control as CameraControl } : null);
  return { commands: new CameraCommands({ find, uploader }), sent };
}

test("a snapshot goes out whole, in chunks", async () => {
  const jpeg = Buffer.alloc(200_000, 7);
  const { commands, sent } = await make({ snapshot: async () => jpeg });
  const body = { kind: "snapshot", cameraId: "gate", transferId: "t-1" } as const;
  expect(await commands.snapshot(body, never)).toEqual({ bytes: 200_000, contentType: "image/jpeg" });
  expect(sent[0]?.equals(jpeg)).toBe(true);
});

test("commands do not try a refused account again", async () => {
  let tries = 0;
  const refuse = async (): Promise<never> => {
    tries += 1;
    throw new EdgeError("CAMERA_AUTH_FAILED", "no");
  };
  const { commands } = await make({ move: refuse, image: refuse });
  const move = { kind: "ptz", cameraId: "gate", move: { kind: "stop" } } as const;
  for (let n = 0; n < 2; n++)
    await expect(commands.ptz(move, never)).rejects.toMatchObject({ code: "CAMERA_AUTH_FAILED" });
  await expect(commands.imaging({ kind: "imaging", cameraId: "gate" }, never)).rejects.toThrow();
  expect(tries).toBe(1);
});

test("a camera of nobody is not commanded", async () => {
  const { commands } = await make({});
  await expect(commands.imaging({ kind: "imaging", cameraId: "other" }, never)).rejects.toMatchObject({
    code: "CAMERA_UNSUPPORTED",
  });
});
