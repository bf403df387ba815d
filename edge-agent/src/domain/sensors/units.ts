import { EdgeError } from "../faults.ts";

/**
 * Units by their UCUM code (https://ucum.org), where there is one; `%LEL`, `dB(A)` and `[NTU]` have none.
 * base = value * factor + offset, within a dimension.
 */
interface Unit {
  readonly dimension: string;
  readonly factor: number;
  readonly offset?: number;
  /** Other ways to write it. */
  readonly aliases?: readonly string[];
}

const INCH = 0.0254;
const HOUR = 3_600;
const of = (dimension: string, factor: number, ...aliases: string[]): Unit => ({
  dimension,
  factor,
  aliases,
});

const UNITS: Readonly<Record<string, Unit>> = {
  m: of("length", 1),
  cm: of("length", 0.01),
  mm: of("length", 0.001),
  um: of("length", 1e-6, "µm", "μm"),
  km: of("length", 1_000),
  "[in_i]": of("length", INCH, "in", "inch"),
  "[ft_i]": of("length", 12 * INCH, "ft"),

  "m/s": of("speed", 1),
  "km/h": of("speed", 1_000 / HOUR),
  "cm/s": of("speed", 0.01),
  "mm/h": of("speed", 0.001 / HOUR),
  "mm/min": of("speed", 0.001 / 60),
  "[in_i]/h": of("speed", INCH / HOUR, "in/h"),
  "[kn_i]": of("speed", 1_852 / HOUR, "kn"),
  "m/s2": of("acceleration", 1, "m/s²"),
  "[g]": of("acceleration", 9.80665),

  K: of("temperature", 1),
  Cel: { dimension: "temperature", factor: 1, offset: 273.15, aliases: ["degC", "°C", "℃"] },
  "[degF]": {
    dimension: "temperature",
    factor: 5 / 9,
    offset: 273.15 - (32 * 5) / 9,
    aliases: ["degF", "°F"],
  },

  "1": of("ratio", 1),
  "%": of("ratio", 0.01, "%RH"),
  "[ppm]": of("ratio", 1e-6, "ppm"),
  "[ppb]": of("ratio", 1e-9, "ppb"),
  "%LEL": of("share of the lower explosive limit", 0.01, "%lel"),

  "ug/m3": of("mass concentration", 1e-6, "µg/m3", "μg/m3", "µg/m³", "μg/m³", "ug/m³"),
  "mg/m3": of("mass concentration", 1e-3, "mg/m³"),
  "g/m3": of("mass concentration", 1, "g/m³"),
  "ug/L": of("mass concentration", 1e-3, "µg/L", "μg/L", "ug/l"),
  "mg/L": of("mass concentration", 1, "mg/l"),
  "g/L": of("mass concentration", 1_000, "g/l"),

  "dB(A)": of("sound level, A-weighted", 1, "dBA", "dB[A]"),
  dB: of("level", 1),

  W: of("power", 1),
  mW: of("power", 0.001),
  kW: of("power", 1_000),
  MW: of("power", 1e6),
  J: of("energy", 1),
  kJ: of("energy", 1_000),
  "W.h": of("energy", HOUR, "Wh"),
  "kW.h": of("energy", 1_000 * HOUR, "kWh"),
  A: of("current", 1),
  mA: of("current", 0.001),
  uA: of("current", 1e-6, "µA", "μA"),
  V: of("voltage", 1),
  mV: of("voltage", 0.001),
  kV: of("voltage", 1_000),
  Hz: of("frequency", 1),
  kHz: of("frequency", 1_000),

  deg: of("angle", Math.PI / 180, "°"),
  rad: of("angle", 1),
  mrad: of("angle", 0.001),
  gon: of("angle", Math.PI / 200),

  Pa: of("pressure", 1),
  hPa: of("pressure", 100),
  kPa: of("pressure", 1_000),
  MPa: of("pressure", 1e6),
  mbar: of("pressure", 100),
  bar: of("pressure", 1e5),
  "[psi]": of("pressure", 6_894.757293168, "psi"),
  "m[H2O]": of("pressure", 9_806.65, "mH2O"),
  "mm[Hg]": of("pressure", 133.322387415, "mmHg"),

  "m3/s": of("flow", 1, "m³/s"),
  "m3/h": of("flow", 1 / HOUR, "m³/h"),
  "L/s": of("flow", 1e-3, "l/s"),
  "L/min": of("flow", 1e-3 / 60, "l/min"),
  m3: of("volume", 1, "m³"),
  L: of("volume", 1e-3, "l"),
  mL: of("volume", 1e-6, "ml"),
  kg: of("mass", 1),
  g: of("mass", 1e-3),
  t: of("mass", 1_000),
  s: of("time", 1),
  ms: of("time", 0.001),
  min: of("time", 60),
  h: of("time", HOUR),
  d: of("time", 24 * HOUR),
  lx: of("illuminance", 1),
  klx: of("illuminance", 1_000),
  "S/m": of("conductivity", 1),
  "mS/cm": of("conductivity", 0.1),
  "uS/cm": of("conductivity", 1e-4, "µS/cm", "μS/cm"),
  "[pH]": of("acidity", 1, "pH"),
  "[NTU]": of("turbidity", 1, "NTU"),
};

const CODES: ReadonlyMap<string, string> = new Map(
  Object.entries(UNITS).flatMap(([code, { aliases = [] }]) =>
    [code, ...aliases].map((name) => [name, code] as const),
  ),
);

/** Codes that are known, for documents and tests. */
export const UNIT_CODES: readonly string[] = Object.keys(UNITS);

/** @returns the unit's UCUM code. @throws EdgeError UNIT_UNKNOWN */
export function unitCode(name: string): string {
  const code = CODES.get(name);
  if (code !== undefined) return code;
  throw new EdgeError("UNIT_UNKNOWN", `the unit "${name}" is not known`, { details: { unit: name } });
}

/** Binary fractions of factors leave traces in the 16th digit: no sensor measures that far. */
const SIGNIFICANT_DIGITS = 12;

/**
 * How values in one unit become values in another.
 *
 * @throws EdgeError UNIT_UNKNOWN, UNIT_MISMATCH when they measure different things
 */
export function unitConverter(from: string, to: string): (value: number) => number {
  const codes = { from: unitCode(from), to: unitCode(to) };
  const source = UNITS[codes.from] as Unit;
  const target = UNITS[codes.to] as Unit;
  if (source.dimension !== target.dimension) {
    throw new EdgeError(
      "UNIT_MISMATCH",
      `"${from}" is a ${source.dimension} and "${to}" a ${target.dimension}`,
      { details: { from, to } },
    );
  }
  if (codes.from === codes.to) return (value) => value;
  const factor = source.factor / target.factor;
  const shift = ((source.offset ?? 0) - (target.offset ?? 0)) / target.factor;
  return (value) => Number((value * factor + shift).toPrecision(SIGNIFICANT_DIGITS));
}
