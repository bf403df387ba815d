// ONVIF's imaging settings as 0..100 of the camera's own ranges (Imaging 2.6 §5). Pure.
import type { Imaging } from "@huishi/contracts";
import { fromPercent, type Range, toPercent } from "../../domain/imaging-range.ts";
import { at, textOf } from "./foreign-tree.ts";
import { escapeText } from "./ptz-requests.ts";

const NAMESPACE = "http://www.onvif.org/ver20/imaging/wsdl";
const SCHEMA = "http://www.onvif.org/ver10/schema";
/** Our names to ONVIF's, in the order that the schema asks for. */
const SLIDERS = [
  ["brightness", "Brightness"],
  ["saturation", "ColorSaturation"],
  ["contrast", "Contrast"],
  ["sharpness", "Sharpness"],
] as const;
const IR_CUT = { auto: "AUTO", on: "ON", off: "OFF" } as const;

export function imagingRequest(name: "GetImagingSettings" | "GetOptions", source: string): string {
  return `<${name} xmlns="${NAMESPACE}"><VideoSourceToken>${escapeText(source)}</VideoSourceToken></${name}>`;
}

/** The library's tree of an imaging answer: element names begin with a small letter. */
function field(tree: unknown, name: string, ...rest: readonly string[]): unknown {
  return at(tree, name.charAt(0).toLowerCase() + name.slice(1), ...rest);
}

function rangeOf(options: unknown, name: string): Range | null {
  const min = Number(textOf(field(options, name, "min")) ?? Number.NaN);
  const max = Number(textOf(field(options, name, "max")) ?? Number.NaN);
  return max > min ? { min, max } : null;
}

/** Settings of the camera; what it does not tell, or has no range for, is left out. */
export function readImaging(settings: unknown, options: unknown): Imaging {
  const found: Record<string, number | string> = {};
  for (const [ours, theirs] of SLIDERS) {
    const range = rangeOf(options, theirs);
    const value = Number(textOf(field(settings, theirs)) ?? Number.NaN);
    const percent = range && toPercent(value, range);
    if (percent !== null) found[ours] = percent;
  }
  const filter = (textOf(field(settings, "IrCutFilter")) ?? "").toLowerCase();
  if (Object.hasOwn(IR_CUT, filter)) found["irCutFilter"] = filter;
  return found;
}

/**
 * SetImagingSettings for what is wanted: nothing else is named, so that nothing else changes. Null when the camera has
 * no such setting.
 */
export function settingRequest(source: string, wanted: Imaging, options: unknown): string | null {
  const element = (name: string, value: string | number): string =>
    `<${name} xmlns="${SCHEMA}">${value}</${name}>`;
  let settings = "";
  for (const [ours, theirs] of SLIDERS) {
    const percent = wanted[ours];
    if (percent === undefined) continue;
    const range = rangeOf(options, theirs);
    const value = range && fromPercent(percent, range);
    if (value === null) return null;
    settings += element(theirs, value);
    // The schema wants the filter between contrast and sharpness.
  }
  if (wanted.irCutFilter !== undefined) {
    const filter = element("IrCutFilter", IR_CUT[wanted.irCutFilter]);
    const sharpness = settings.indexOf("<Sharpness");
    settings =
      sharpness < 0 ? settings + filter : settings.slice(0, sharpness) + filter + settings.slice(sharpness);
  }
  return (
    `<SetImagingSettings xmlns="${NAMESPACE}"><VideoSourceToken>${escapeText(source)}</VideoSourceToken>` +
    `<ImagingSettings>${settings}</ImagingSettings><ForcePersistence>true</ForcePersistence></SetImagingSettings>`
  );
}
