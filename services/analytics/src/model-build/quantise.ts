/** Affine quantisation as ONNX defines it: real = scale * (quantised - zeroPoint) (operators QuantizeLinear, DequantizeLinear). */

/** Smallest and largest value that an activation is allowed to keep; what lies outside is clamped. */
export type ActivationRange = readonly [min: number, max: number];

export interface ActivationScale {
  /** A float32 value. */
  readonly scale: number;
  /** 0..255. */
  readonly zeroPoint: number;
}

/** uint8 scale of an activation. Zero is always exactly representable: padding is made of it. */
export function activationScale([min, max]: ActivationRange): ActivationScale {
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = Math.fround((high - low) / 255) || 1;
  return { scale, zeroPoint: Math.min(Math.max(Math.round(-low / scale), 0), 255) };
}

export interface QuantisedWeights {
  readonly values: Int8Array;
  /** One an output channel; zero points are 0. */
  readonly scales: Float32Array;
  readonly bias: Int32Array;
  /** One an output channel: input scale * weight scale. */
  readonly biasScales: Float32Array;
}

const WEIGHT_MAX = 127;
/** Keeps a bias far from the end of int32, so that the sum over the products fits as well. */
const BIAS_MAX = 2 ** 30;
/** Below this a channel is nothing; much finer scales leave float32's normal range and lose their digits. */
const FINEST_SCALE = 2 ** -60;

/**
 * int8 weights, symmetric, one scale an output channel (Krishnamoorthi 2018, §2.2 and §3.1), and the int32 bias that
 * goes with an input of `inputScale`.
 *
 * @param weights [outChannels, ...]
 */
export function quantiseWeights(
  weights: Float32Array,
  bias: Float32Array,
  inputScale: number,
): QuantisedWeights {
  const channels = bias.length;
  const perChannel = weights.length / channels;
  const result = {
    values: new Int8Array(weights.length),
    scales: new Float32Array(channels),
    bias: new Int32Array(channels),
    biasScales: new Float32Array(channels),
  };
  for (let channel = 0; channel < channels; channel++) {
    const from = channel * perChannel;
    const channelBias = bias[channel] as number;
    let largest = 0;
    for (let i = from; i < from + perChannel; i++)
      largest = Math.max(largest, Math.abs(weights[i] as number));
    // A dead channel (weights near zero) would give its bias a scale too fine for int32.
    const wanted = Math.max(largest / WEIGHT_MAX, Math.abs(channelBias) / (BIAS_MAX * inputScale));
    const scale = wanted < FINEST_SCALE ? 1 : Math.fround(wanted);
    result.scales[channel] = scale;
    for (let i = from; i < from + perChannel; i++) {
      result.values[i] = Math.min(
        Math.max(Math.round((weights[i] as number) / scale), -WEIGHT_MAX),
        WEIGHT_MAX,
      );
    }
    const biasScale = Math.fround(inputScale * scale);
    result.biasScales[channel] = biasScale;
    result.bias[channel] = Math.round(channelBias / biasScale);
  }
  return result;
}
