import type { Region } from "../../domain/index.ts";
import type { RgbFrame } from "../detector.ts";
import type { ModelInput } from "./model-record.ts";
import { type Placement, RegionResizer } from "./resize-region.ts";

const CHANNELS = 3;

/** Puts a region of a frame into a model's input tensor; keeps its buffers, so that a frame costs no allocation. */
export class InputTensor {
  /** size * size * 3 values in the model's layout; as long as the next `put`. */
  readonly values: Uint8Array | Float32Array;
  readonly dims: readonly number[];
  readonly #input: ModelInput;
  readonly #pixels: Uint8Array;
  readonly #resizer: RegionResizer;
  /** For each channel of the input: the value of each byte. */
  readonly #tables: readonly Float32Array[];

  constructor(input: ModelInput) {
    const { size, layout, fit, fill } = input;
    this.#input = input;
    this.#pixels = new Uint8Array(size * size * CHANNELS);
    this.#resizer = new RegionResizer(size, {
      ...(fit !== undefined && { fit }),
      ...(fill !== undefined && { fill }),
    });
    this.#tables = [0, 1, 2].map((channel) => valueTable(input, channel));
    this.values = isAsDecoded(input)
      ? this.#pixels
      : new (input.type === "uint8" ? Uint8Array : Float32Array)(this.#pixels.length);
    this.dims = layout === "nhwc" ? [1, size, size, CHANNELS] : [1, CHANNELS, size, size];
  }

  /** Returns where in the input the region is now. */
  put(frame: RgbFrame, region: Region): Placement {
    const placement = this.#resizer.resize(frame, region, this.#pixels);
    if (this.values !== this.#pixels) this.#convert();
    return placement;
  }

  #convert(): void {
    const { layout, colour, size } = this.#input;
    const [step, channelStep] = layout === "nhwc" ? [CHANNELS, 1] : [1, size * size];
    for (let channel = 0; channel < CHANNELS; channel++) {
      const table = this.#tables[channel] as Float32Array;
      let from = colour === "rgb" ? channel : CHANNELS - 1 - channel;
      let to = channel * channelStep;
      for (let pixel = 0; pixel < size * size; pixel++, from += CHANNELS, to += step)
        this.values[to] = table[this.#pixels[from] as number] as number;
    }
  }
}

/** The resizer's own output is the tensor: the default model's case, without a copy. */
function isAsDecoded({ type, layout, colour }: ModelInput): boolean {
  return type === "uint8" && layout === "nhwc" && colour === "rgb";
}

function valueTable({ type, scale = 1, mean, std }: ModelInput, channel: number): Float32Array {
  if (type === "uint8") return Float32Array.from({ length: 256 }, (_, byte) => byte);
  const [offset, divisor] = [mean?.[channel] ?? 0, std?.[channel] ?? 1];
  return Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - offset) / divisor);
}
