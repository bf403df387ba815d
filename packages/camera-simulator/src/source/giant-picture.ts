/**
 * Writes an H.264 keyframe of any size by hand: every macroblock is predicted flat grey, which takes one byte. A file
 * of half a megabyte that makes a decoder ask for half a gigabyte is what a broken or hostile camera sends; an encoder
 * would need as much memory to make it.
 */
import type { CodedClip } from "./coded-clip.ts";

class BitWriter {
  readonly #bytes: number[] = [];
  #bit = 0;

  bits(value: number, count: number): this {
    for (let at = count - 1; at >= 0; at--) {
      if (this.#bit === 0) this.#bytes.push(0);
      const last = this.#bytes.length - 1;
      this.#bytes[last] = (this.#bytes[last] as number) | (((value >> at) & 1) << (7 - this.#bit));
      this.#bit = (this.#bit + 1) % 8;
    }
    return this;
  }

  /** Unsigned Exp-Golomb (ITU-T H.264 9.1). */
  ue(value: number): this {
    const length = 31 - Math.clz32(value + 1);
    return this.bits(0, length).bits(value + 1, length + 1);
  }

  /** rbsp_trailing_bits, then emulation prevention (7.3.2.11, 7.4.1.1). */
  nal(header: number): Uint8Array {
    this.bits(1, 1);
    const out: number[] = [header];
    let zeros = 0;
    for (const byte of this.#bytes) {
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Uint8Array.from(out);
  }
}

const LEVEL_6_2 = 62;

/** seq_parameter_set_data of the baseline profile (7.3.2.1.1). */
function writeSps(columns: number, rows: number): Uint8Array {
  return new BitWriter()
    .bits(66, 8)
    .bits(0xc0, 8)
    .bits(LEVEL_6_2, 8)
    .ue(0) // seq_parameter_set_id
    .ue(0) // log2_max_frame_num_minus4
    .ue(2) // pic_order_cnt_type
    .ue(1) // max_num_ref_frames
    .bits(0, 1)
    .ue(columns - 1)
    .ue(rows - 1)
    .bits(1, 1) // frame_mbs_only_flag
    .bits(1, 1) // direct_8x8_inference_flag
    .bits(0, 1) // frame_cropping_flag
    .bits(0, 1) // vui_parameters_present_flag
    .nal(0x67);
}

/** pic_parameter_set_rbsp (7.3.2.2): CAVLC, one slice group. */
function writePps(): Uint8Array {
  return new BitWriter()
    .ue(0)
    .ue(0)
    .bits(0, 1)
    .bits(0, 1)
    .ue(0)
    .ue(0)
    .ue(0)
    .bits(0, 1)
    .bits(0, 2)
    .ue(0)
    .ue(0)
    .ue(0)
    .bits(1, 1) // deblocking_filter_control_present_flag
    .bits(0, 1)
    .bits(0, 1)
    .nal(0x68);
}

/** An IDR slice of Intra_16x16 macroblocks, DC prediction, no residual: 00100 1 1 1 each (7.3.5). */
function writeIdr(macroblocks: number): Uint8Array {
  const slice = new BitWriter()
    .ue(0) // first_mb_in_slice
    .ue(7) // slice_type I
    .ue(0)
    .bits(0, 4) // frame_num
    .ue(0) // idr_pic_id
    .bits(0, 2) // no_output_of_prior_pics_flag, long_term_reference_flag
    .ue(0) // slice_qp_delta
    .ue(1); // disable_deblocking_filter_idc
  for (let index = 0; index < macroblocks; index++) slice.bits(0x27, 8);
  return slice.nal(0x65);
}

/** A valid keyframe of this size (multiples of 16), about one byte a macroblock, to be sent once a second. */
export function giantPicture(width = 16_384, height = 8_192, fps = 25): CodedClip {
  const [columns, rows] = [width / 16, height / 16];
  const nals = [writeSps(columns, rows), writePps(), writeIdr(columns * rows)];
  return {
    codec: "h264",
    width,
    height,
    pictures: [{ nals, keyframe: true }],
    everyTicks: Math.max(1, Math.round(fps)),
  };
}
