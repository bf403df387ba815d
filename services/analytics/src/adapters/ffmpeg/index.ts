export { type DecodedFrame, FrameDecoder } from "./frame-decoder.ts";
