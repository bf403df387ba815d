// The elements of ONVIF's PTZ requests (PTZ 2.6 §5). Pure.
import type { PtzMove } from "@huishi/contracts";
import type { CameraQuirks } from "../../domain/camera-quirks.ts";
import { elementText } from "./foreign-tree.ts";

const NAMESPACE = "http://www.onvif.org/ver20/ptz/wsdl";
const SCHEMA = "http://www.onvif.org/ver10/schema";
const MAX_PRESETS = 256;

interface Vector {
  readonly pan?: number;
  readonly tilt?: number;
  readonly zoom?: number;
}
type Moving = Extract<PtzMove, { kind: "absolute" | "relative" | "continuous" }>;

/**
 * The requests that carry out a move, in order: more than one where the camera wants pan and zoom apart.
 *
 * @param present where the camera is, for an absolute move that names pan or tilt alone
 */
export function ptzRequests(
  move: PtzMove,
  profile: string,
  { present = {}, quirks = {} }: { readonly present?: Vector; readonly quirks?: CameraQuirks } = {},
): string[] {
  const request = (name: string, inner = ""): string =>
    `<${name} xmlns="${NAMESPACE}"><ProfileToken>${escapeText(profile)}</ProfileToken>${inner}</${name}>`;
  switch (move.kind) {
    case "absolute":
    case "relative":
    case "continuous":
      return parts(move, quirks).map((part) => movingRequest(part, present, request));
    case "stop":
      return [request("Stop", "<PanTilt>true</PanTilt><Zoom>true</Zoom>")];
    case "home":
      return [request("GotoHomePosition")];
    case "goto_preset":
      return [request("GotoPreset", `<PresetToken>${escapeText(move.preset)}</PresetToken>`)];
    case "set_preset":
      return [
        request(
          "SetPreset",
          `<PresetName>${escapeText(move.name)}</PresetName>` +
            (move.preset === undefined ? "" : `<PresetToken>${escapeText(move.preset)}</PresetToken>`),
        ),
      ];
    case "remove_preset":
      return [request("RemovePreset", `<PresetToken>${escapeText(move.preset)}</PresetToken>`)];
    case "list_presets":
      return [request("GetPresets")];
    default:
      return [request("GetStatus")];
  }
}

function parts(move: Moving, { splitsMoves = false }: CameraQuirks): Moving[] {
  const turns = move.pan !== undefined || move.tilt !== undefined;
  if (!splitsMoves || !turns || move.zoom === undefined) return [move];
  const { zoom, pan: _pan, tilt: _tilt, ...rest } = move;
  const { zoom: _zoom, ...turning } = move;
  return [turning, { ...rest, zoom } as Moving];
}

/** An axis that is not named stays where it is: pan and tilt come in pairs only. */
function movingRequest(
  move: Moving,
  present: Vector,
  request: (name: string, inner: string) => string,
): string {
  if (move.kind === "continuous") {
    const timeout = `<Timeout>PT${(move.timeoutMs / 1_000).toFixed(1)}S</Timeout>`;
    return request("ContinuousMove", `<Velocity>${vector(move, {})}</Velocity>${timeout}`);
  }
  const speed = move.speed === undefined ? "" : `<Speed>${speedVector(move, Math.abs(move.speed))}</Speed>`;
  return move.kind === "absolute"
    ? request("AbsoluteMove", `<Position>${vector(move, present)}</Position>${speed}`)
    : request("RelativeMove", `<Translation>${vector(move, {})}</Translation>${speed}`);
}

function vector({ pan, tilt, zoom }: Vector, present: Vector): string {
  const turns = pan !== undefined || tilt !== undefined;
  return (
    (turns
      ? `<PanTilt x="${pan ?? present.pan ?? 0}" y="${tilt ?? present.tilt ?? 0}" xmlns="${SCHEMA}"/>`
      : "") + (zoom === undefined ? "" : `<Zoom x="${zoom}" xmlns="${SCHEMA}"/>`)
  );
}

function speedVector({ pan, tilt, zoom }: Vector, speed: number): string {
  const turns = pan !== undefined || tilt !== undefined;
  return vector(
    { ...(turns ? { pan: speed, tilt: speed } : {}), ...(zoom === undefined ? {} : { zoom: speed }) },
    {},
  );
}

/** Presets of a GetPresets answer. Read from the text: the library makes numbers of tokens ("1.0" becomes 1). */
export function readPresets(xml: string): { token: string; name: string }[] {
  const presets: { token: string; name: string }[] = [];
  for (const match of xml.matchAll(/<(?:[\w.-]+:)?Preset\s([^<>]*)>/g)) {
    const token = attribute(match[1] ?? "", "token");
    if (token === undefined) continue;
    const end = xml.indexOf("Preset>", match.index + match[0].length);
    const inner = match[0].endsWith("/>") || end < 0 ? "" : xml.slice(match.index, end);
    presets.push({ token, name: (elementText(inner, "Name") ?? "").slice(0, 120) });
    if (presets.length >= MAX_PRESETS) break;
  }
  return presets;
}

export interface PtzStatus {
  readonly pan?: number;
  readonly tilt?: number;
  readonly zoom?: number;
  readonly isMoving?: boolean;
}

/** Position and state of a GetStatus answer. */
export function readStatus(xml: string): PtzStatus {
  const tag = (name: string): string =>
    new RegExp(`<(?:[\\w.-]+:)?${name}\\s([^<>]*?)/?>`).exec(xml)?.[1] ?? "";
  const number = (text: string | undefined): number | undefined =>
    text !== undefined && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
  const pan = number(attribute(tag("PanTilt"), "x"));
  const tilt = number(attribute(tag("PanTilt"), "y"));
  const zoom = number(attribute(tag("Zoom"), "x"));
  const hasState = /MOVING|IDLE/.test(xml);
  return {
    ...(pan === undefined ? {} : { pan }),
    ...(tilt === undefined ? {} : { tilt }),
    ...(zoom === undefined ? {} : { zoom }),
    ...(hasState ? { isMoving: />\s*MOVING\s*</.test(xml) } : {}),
  };
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag);
  return match?.[1] ?? match?.[2];
}

export function escapeText(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
