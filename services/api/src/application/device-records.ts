import type { DeviceRecord, DeviceRecordBody, RecordField, SignPhoto, SiteCategory } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { readGb28181Code } from "../domain/gb28181-code.ts";
import { imageTypeOf } from "../domain/image-type.ts";
import { recordCompleteness } from "../domain/record-completeness.ts";
import { cameraNotFound } from "./cameras.ts";
import { settle, type Versioned } from "./versioned.ts";

/** A record as it is kept, before anything is made of it. */
export type StoredRecord = Omit<DeviceRecord, "completeness" | "gb28181Warnings">;

export interface RecordDraft extends Omit<DeviceRecordBody, "position"> {
  readonly cameraId: string;
  readonly position: DeviceRecord["position"];
  /** Who writes it. */
  readonly by: string;
}

export interface SignPhotoFile {
  readonly mediaType: SignPhoto["mediaType"];
  readonly image: Buffer;
}

export type RecordPutOutcome =
  Versioned<StoredRecord> | { readonly outcome: "codeTaken"; readonly cameraId: string | null };

export interface DeviceRecordStore {
  /** Of all cameras in order of id, whether somebody wrote a record or not. */
  listRecords(asked: { after: string | null; limit: number }): Promise<StoredRecord[]>;
  findRecord(cameraId: string): Promise<StoredRecord | null>;
  putRecord(draft: RecordDraft): Promise<RecordPutOutcome>;
  findCategory(slug: string): Promise<SiteCategory | null>;
  /** Replaces the one before. null: there is no such camera. */
  putSignPhoto(photo: SignPhotoFile & { cameraId: string; by: string }): Promise<SignPhoto | null>;
  readSignPhoto(cameraId: string): Promise<SignPhotoFile | null>;
  deleteSignPhoto(cameraId: string): Promise<boolean>;
}

export interface RecordFilter {
  readonly incomplete?: boolean;
  readonly missing?: RecordField;
}

/** @throws HuishiError CAMERA_NOT_FOUND */
export async function getRecord(store: DeviceRecordStore, cameraId: string): Promise<DeviceRecord> {
  const stored = await store.findRecord(cameraId);
  if (stored === null) throw cameraNotFound(cameraId);
  return assess(stored);
}

/**
 * Writes what people know of a camera. Blank text counts as not known.
 *
 * @throws HuishiError CAMERA_NOT_FOUND, VERSION_CONFLICT, COORDINATE_SYSTEM_REFUSED, DEVICE_CODE_INVALID,
 *   DEVICE_CODE_TAKEN, SITE_CATEGORY_NOT_FOUND, SITE_PROHIBITED
 */
export async function putRecord(
  store: DeviceRecordStore,
  written: { readonly cameraId: string; readonly body: DeviceRecordBody; readonly by: string },
): Promise<DeviceRecord> {
  const { cameraId, body, by } = written;
  const draft = { ...withoutBlanks(body), position: positionOf(body.position), cameraId, by };
  if (draft.gb28181Code !== null) requireCode(draft.gb28181Code);
  if (draft.siteCategory !== null) await requireAllowed(store, draft.siteCategory);
  const put = await store.putRecord(draft);
  if (put.outcome === "codeTaken") {
    throw new HuishiError(
      "DEVICE_CODE_TAKEN",
      "Another camera has this GB/T 28181 code; correct one of the two.",
      { details: { gb28181Code: draft.gb28181Code, cameraId: put.cameraId } },
    );
  }
  return settle(assessed(put), () => cameraNotFound(cameraId));
}

const SCAN_BATCH = 500;
/** Rows that one question looks at. A filter that few pass must not read the whole city for one page. */
const LONGEST_SCAN = 5_000;

/** One page in order of camera id; `next` is null when no camera comes after what was looked at. */
export async function pageRecords(
  store: DeviceRecordStore,
  asked: RecordFilter & { readonly after?: string; readonly limit?: number },
): Promise<{ records: DeviceRecord[]; next: string | null }> {
  const { limit = 100 } = asked;
  const isFiltered = asked.incomplete !== undefined || asked.missing !== undefined;
  const batchLength = isFiltered ? SCAN_BATCH : limit + 1;
  const records: DeviceRecord[] = [];
  let after = asked.after ?? null;
  for (let looked = 0; looked < LONGEST_SCAN; looked += batchLength) {
    const batch = await store.listRecords({ after, limit: batchLength });
    for (const [index, stored] of batch.entries()) {
      after = stored.cameraId;
      const record = assess(stored);
      if (passes(record, asked)) records.push(record);
      const isLast = index === batch.length - 1 && batch.length < batchLength;
      if (records.length === limit) return { records, next: isLast ? null : after };
    }
    if (batch.length < batchLength) return { records, next: null };
  }
  return { records, next: after };
}

/** All records that pass, read as they are asked for. */
export async function* eachRecord(
  store: DeviceRecordStore,
  filter: RecordFilter,
): AsyncGenerator<DeviceRecord, void, undefined> {
  for (let after: string | null = null; ;) {
    const batch: StoredRecord[] = await store.listRecords({ after, limit: SCAN_BATCH });
    yield* batch.map(assess).filter((record) => passes(record, filter));
    after = batch.at(-1)?.cameraId ?? null;
    if (batch.length < SCAN_BATCH) return;
  }
}

/**
 * Keeps the photograph of a camera's notice sign. Its bytes decide what it is, not its header.
 *
 * @throws HuishiError SIGN_PHOTO_TYPE, CAMERA_NOT_FOUND
 */
export async function putSignPhoto(
  store: DeviceRecordStore,
  given: { readonly cameraId: string; readonly image: unknown; readonly by: string },
): Promise<SignPhoto> {
  const { cameraId, image, by } = given;
  const mediaType = Buffer.isBuffer(image) ? imageTypeOf(image) : null;
  if (!Buffer.isBuffer(image) || mediaType === null) {
    throw new HuishiError("SIGN_PHOTO_TYPE", "This is neither a JPEG nor a PNG; send the photograph's file.");
  }
  const kept = await store.putSignPhoto({ cameraId, image, mediaType, by });
  if (kept === null) throw cameraNotFound(cameraId);
  return kept;
}

/** @throws HuishiError SIGN_PHOTO_NOT_FOUND, CAMERA_NOT_FOUND */
export async function getSignPhoto(store: DeviceRecordStore, cameraId: string): Promise<SignPhotoFile> {
  return (await store.readSignPhoto(cameraId)) ?? noPhoto(store, cameraId);
}

/** @throws HuishiError SIGN_PHOTO_NOT_FOUND, CAMERA_NOT_FOUND */
export async function deleteSignPhoto(store: DeviceRecordStore, cameraId: string): Promise<void> {
  if (!(await store.deleteSignPhoto(cameraId))) await noPhoto(store, cameraId);
}

async function noPhoto(store: DeviceRecordStore, cameraId: string): Promise<never> {
  if ((await store.findRecord(cameraId)) === null) throw cameraNotFound(cameraId);
  throw new HuishiError("SIGN_PHOTO_NOT_FOUND", "There is no photograph of this camera's sign.", {
    details: { cameraId },
  });
}

/** With what can be said of it. */
function assess(stored: StoredRecord): DeviceRecord {
  const { device } = stored;
  const reading = stored.gb28181Code === null ? null : readGb28181Code(stored.gb28181Code);
  const completeness = recordCompleteness({
    ...stored,
    ...device,
    height: stored.heightM,
    heading: stored.headingDeg,
    tilt: stored.tiltDeg,
    fieldOfView: stored.fieldOfViewDeg,
    measures: device.measured,
    clockOffset: device.clockOffsetMs,
  });
  return {
    ...stored,
    gb28181Warnings: reading?.isValid ? [...reading.warnings] : [],
    completeness: { percent: completeness.percent, missing: [...completeness.missing] },
  };
}

function assessed(put: Versioned<StoredRecord>): Versioned<DeviceRecord> {
  if (put.outcome === "done") return { outcome: "done", row: assess(put.row) };
  return put.outcome === "conflict" ? { outcome: "conflict", current: assess(put.current) } : put;
}

function passes({ completeness: { missing } }: DeviceRecord, filter: RecordFilter): boolean {
  if (filter.incomplete !== undefined && filter.incomplete !== missing.length > 0) return false;
  return filter.missing === undefined || missing.includes(filter.missing);
}

function withoutBlanks(body: DeviceRecordBody): DeviceRecordBody {
  const trimmed = (text: string | null): string | null => text?.trim() || null;
  return {
    ...body,
    owner: trimmed(body.owner),
    purpose: trimmed(body.purpose),
    legalBasis: trimmed(body.legalBasis),
    filingNumber: trimmed(body.filingNumber),
    gb28181Code: trimmed(body.gb28181Code),
  };
}

function positionOf(position: DeviceRecordBody["position"]): DeviceRecord["position"] {
  if (position === null) return null;
  const { coordinateSystem } = position;
  if (coordinateSystem === "WGS84" || coordinateSystem === "CGCS2000") {
    return { ...position, coordinateSystem };
  }
  throw new HuishiError(
    "COORDINATE_SYSTEM_REFUSED",
    "Positions are kept in WGS84 or CGCS2000; GCJ-02 (maps of China) and BD-09 are shifted and must be converted first.",
    { details: { coordinateSystem, accepted: ["WGS84", "CGCS2000"] } },
  );
}

function requireCode(gb28181Code: string): void {
  if (readGb28181Code(gb28181Code).isValid) return;
  throw new HuishiError("DEVICE_CODE_INVALID", "A GB/T 28181 code has exactly 20 digits.", {
    details: { gb28181Code },
  });
}

async function requireAllowed(store: DeviceRecordStore, slug: string): Promise<void> {
  const category = await store.findCategory(slug);
  if (category === null) {
    throw new HuishiError("SITE_CATEGORY_NOT_FOUND", "There is no such site category; read the list again.", {
      details: { siteCategory: slug },
    });
  }
  if (category.prohibited) {
    throw new HuishiError(
      "SITE_PROHIBITED",
      "No camera may stand at a place of this category; it is not registered.",
      { details: { siteCategory: slug, basis: category.basis } },
    );
  }
}
