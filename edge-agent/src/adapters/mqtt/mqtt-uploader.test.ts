import { decodeUploadChunk, MAX_UPLOAD_DATA_BYTES } from "@huishi/contracts";
import { expect, it } from "vitest";
import type { MediaLink } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { MqttUploader } from "./mqtt-uploader.ts";

it("goes on from what was acknowledged when the connection was cut in the middle", async () => {
  const content = Buffer.alloc(10 * MAX_UPLOAD_DATA_BYTES + 77, "0123456789");
  const received = Buffer.alloc(content.byteLength);
  const asked: number[] = [];
  let sent = 0;
  const link: MediaLink = {
    isConnected: true,
    queuedBytes: 0,
    queue: { bytes: 0, limitBytes: 1 },
    run: async () => undefined,
    publish: () => undefined,
    async publishAcknowledged(_topic, bytes) {
      sent += 1;
      if (sent === 6) throw new EdgeError("SERVER_UNREACHABLE", "the media connection was lost");
      const { offset, data } = decodeUploadChunk(bytes);
      received.set(data, offset);
    },
  };
  await new MqttUploader(link, "agent-1").upload(
    "clip-1",
    {
      bytes: content.byteLength,
      async *chunks(from) {
        asked.push(from);
        yield content.subarray(from);
      },
    },
    new AbortController().signal,
  );
  expect(received.equals(content)).toBe(true);
  expect(asked).toEqual([0, 5 * MAX_UPLOAD_DATA_BYTES]);
});
