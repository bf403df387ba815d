export {
  type ParameterSets,
  NAL,
  annexBToAvcc,
  avccToAnnexB,
  extractParameterSets,
  isKeyframe,
  joinAnnexB,
  joinAvcc,
  nalType,
  splitAvcc,
  splitNals,
  withDelimiter,
} from "./annexb.ts";
export { concatBytes } from "./bytes.ts";
export { ByteSlab } from "./byte-slab.ts";
export { type MediaErrorCode, MediaError } from "./errors.ts";
export { type SpsInfo, parseSps } from "./sps.ts";
export { type PictureSize, isSps, pictureSizeOf, spsSize } from "./picture-size.ts";
export { type AvcConfig, buildAvcConfig, parseAvcConfig } from "./avc-config.ts";
export {
  type InitSegmentOptions,
  type MediaSegmentOptions,
  buildInitSegment,
  buildMediaSegment,
} from "./fmp4.ts";
export { type TimedAccessUnit, FlvDemuxer, MAX_FLV_TAG_BYTES } from "./flv-demuxer.ts";
export { type FlvMuxerInput, FlvMuxer } from "./flv-muxer.ts";
export { type RtpVideoCodec } from "./rtp/nal-syntax.ts";
export { type RtpPacket, parseRtpPacket, sequenceAdvance, timestampAdvance } from "./rtp/rtp-packet.ts";
export {
  type ReceivedUnit,
  type RtpVideoCounters,
  type RtpVideoOptions,
  RtpVideoReceiver,
} from "./rtp/rtp-video-receiver.ts";
export {
  BLOCKS,
  type LumaPicture,
  type PictureMeasure,
  type Structure,
  changedBlocks,
  measurePicture,
} from "./picture/measure.ts";
export {
  type FoundFault,
  PICTURE_SAMPLE_MS,
  type PictureFault,
  type PictureFindings,
  PictureJudge,
  type PictureLimits,
} from "./picture/picture-judge.ts";
export { type ViewComparison, ViewReference } from "./picture/view-reference.ts";
