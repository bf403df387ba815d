import type { DeviceRecord, StreamProfile } from "@huishi/contracts";
import { type CsvCell, csvLine } from "./csv.ts";

/** Spreadsheets take a file without it for the system's own encoding, and break every Chinese name. */
const UTF8_MARK = "\ufeff";

type Column = readonly [name: string, cellOf: (record: DeviceRecord) => CsvCell];

const COLUMNS: readonly Column[] = [
  ["camera_id", (record) => record.cameraId],
  ["name", (record) => record.name],
  ["area_id", (record) => record.areaId],
  ["gb28181_code", (record) => record.gb28181Code],
  ["latitude", (record) => record.position?.latitude ?? null],
  ["longitude", (record) => record.position?.longitude ?? null],
  ["coordinate_system", (record) => record.position?.coordinateSystem ?? null],
  ["height_m", (record) => record.heightM],
  ["heading_deg", (record) => record.headingDeg],
  ["tilt_deg", (record) => record.tiltDeg],
  ["field_of_view_deg", (record) => record.fieldOfViewDeg],
  ["owner", (record) => record.owner],
  ["purpose", (record) => record.purpose],
  ["legal_basis", (record) => record.legalBasis],
  ["site_category", (record) => record.siteCategory],
  ["filing_number", (record) => record.filingNumber],
  ["sign_photo_sha256", (record) => record.signPhoto?.sha256 ?? null],
  ["manufacturer", ({ device }) => device.manufacturer],
  ["model", ({ device }) => device.model],
  ["firmware", ({ device }) => device.firmware],
  ["serial", ({ device }) => device.serial],
  ["address", ({ device }) => device.address],
  ["hardware_address", ({ device }) => device.hardwareAddress],
  ["endpoint", ({ device }) => device.endpoint],
  ["capabilities", ({ device }) => device.capabilities.join(" ")],
  ["ptz", ({ device }) => String(device.ptz)],
  ...streamColumns("main"),
  ...streamColumns("sub"),
  ["clock_offset_ms", ({ device }) => device.clockOffsetMs],
  ["completeness_percent", ({ completeness }) => completeness.percent],
  ["missing", ({ completeness }) => completeness.missing.join(" ")],
  ["version", (record) => record.version],
];

/** What was counted goes before what the camera says. */
function streamColumns(profile: StreamProfile): Column[] {
  const offered = ({ device }: DeviceRecord) => device.streams.find((stream) => stream.profile === profile);
  const counted = ({ device }: DeviceRecord) => device.measured.find((stream) => stream.profile === profile);
  return [
    [`${profile}_codec`, (record) => counted(record)?.codec ?? offered(record)?.codec ?? null],
    [`${profile}_width`, (record) => counted(record)?.width ?? offered(record)?.width ?? null],
    [`${profile}_height`, (record) => counted(record)?.height ?? offered(record)?.height ?? null],
    [`${profile}_measured_fps`, (record) => counted(record)?.fps ?? null],
    [`${profile}_measured_bit_rate`, (record) => counted(record)?.bitRate ?? null],
  ];
}

/** First line of the sheet of records. */
export const recordSheetHead = (): string => UTF8_MARK + csvLine(COLUMNS.map(([name]) => name));

export const recordSheetLine = (record: DeviceRecord): string =>
  csvLine(COLUMNS.map(([, cellOf]) => cellOf(record)));
