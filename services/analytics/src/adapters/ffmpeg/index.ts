export {
  type DecodedFrame,
  type DecoderDropReason,
  FrameDecoder,
  type FrameDecoderOptions,
} from "./frame-decoder.ts";
