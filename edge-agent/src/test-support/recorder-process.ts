// Records until it is killed, and says after each second of pictures how far it is. argv: folder, number of the first picture.
import { systemClock } from "@huishi/kernel";
import { RingBuffer } from "../adapters/ring-buffer/ring-buffer.ts";
import { recordedLog } from "./recorded-log.ts";
import { GOP_PICTURES, pictureAt, testSigner } from "./recording-scene.ts";

const [folder = "", first = "0"] = process.argv.slice(2);
const ring = await RingBuffer.open({
  folder,
  agentId: "agent-1",
  signer: testSigner(),
  clock: systemClock,
  log: recordedLog(),
  policy: { maxBytes: 1e9 },
  onGap: () => undefined,
  segmentMs: 3_000,
});
const track = await ring.track("cam-1", "main");
process.send?.("ready");
for (let n = Number(first); ; n += 1) {
  track.push(pictureAt(n, 1_700_000_000_000));
  if (n % GOP_PICTURES === GOP_PICTURES - 1) await new Promise((resolve) => setTimeout(resolve, 1));
}
