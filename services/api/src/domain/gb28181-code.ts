// The 20-digit code of a device in national video networks (GB/T 28181-2022 annex E, 2016 annex D).

/** What the digits say: 1-8 centre, 9-10 industry, 11-13 type, 14 network, 15-20 serial number. */
export interface Gb28181Code {
  readonly centre: string;
  readonly industry: string;
  readonly type: string;
  readonly network: string;
  readonly serial: string;
}

type Gb28181Warning = "unknown_industry" | "not_a_camera_type" | "unknown_province";

export type Gb28181Reading =
  | { readonly isValid: true; readonly code: Gb28181Code; readonly warnings: readonly Gb28181Warning[] }
  | { readonly isValid: false };

/** 131 analogue camera, 132 network camera. */
const CAMERA_TYPES: ReadonlySet<string> = new Set(["131", "132"]);
/** First two digits of GB/T 2260 divisions: six regions, each with its highest number. */
const HIGHEST_OF_REGION: Readonly<Record<string, number>> = { 1: 5, 2: 3, 3: 7, 4: 6, 5: 4, 6: 5 };
const OUTSIDE_REGIONS: ReadonlySet<string> = new Set(["71", "81", "82"]);

/**
 * Reads a code. Anything but 20 digits is refused. An industry, type or province that the standard's tables do not
 * name is only a warning: networks use numbers of their own.
 */
export function readGb28181Code(text: string): Gb28181Reading {
  if (!/^[0-9]{20}$/.test(text)) return { isValid: false };
  const code = {
    centre: text.slice(0, 8),
    industry: text.slice(8, 10),
    type: text.slice(10, 13),
    network: text.slice(13, 14),
    serial: text.slice(14),
  };
  const warnings: Gb28181Warning[] = [];
  if (!isProvince(code.centre.slice(0, 2))) warnings.push("unknown_province");
  if (!isIndustry(Number(code.industry))) warnings.push("unknown_industry");
  if (!CAMERA_TYPES.has(code.type)) warnings.push("not_a_camera_type");
  return { isValid: true, code, warnings };
}

/** The digits again. */
export function writeGb28181Code(code: Gb28181Code): string {
  return code.centre + code.industry + code.type + code.network + code.serial;
}

function isProvince(digits: string): boolean {
  if (OUTSIDE_REGIONS.has(digits)) return true;
  const number = Number(digits[1]);
  return number >= 1 && number <= (HIGHEST_OF_REGION[digits[0] ?? ""] ?? 0);
}

/** 12-39 and 56-79 are reserved; 80 and up are the networks' own. */
function isIndustry(number: number): boolean {
  return number <= 11 || (number >= 40 && number <= 55) || number >= 80;
}
