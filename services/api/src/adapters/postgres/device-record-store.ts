import type { DeviceFacts, SignPhoto, SiteCategory } from "@huishi/contracts";
import { type Pool, sqlStateOf } from "@huishi/platform";
import type {
  DeviceRecordStore,
  RecordDraft,
  RecordPutOutcome,
  SignPhotoFile,
  StoredRecord,
} from "../../application/device-records.ts";
import { millisOf } from "./queries/question.ts";
import { CATEGORY_COLUMNS, type CategoryRow, toCategory } from "./site-category-store.ts";

interface RecordRow {
  readonly id: string;
  readonly name: string;
  readonly area_id: string | null;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
  readonly serial: string | null;
  readonly address: string | null;
  readonly hardware_address: string | null;
  readonly endpoint: string | null;
  readonly capabilities: DeviceFacts["capabilities"];
  readonly ptz: boolean;
  readonly streams: DeviceFacts["streams"];
  readonly measured: DeviceFacts["measured"];
  readonly clock_offset_ms: number | null;
  readonly described_ms: number | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly coordinate_system: "WGS84" | "CGCS2000" | null;
  readonly height_m: number | null;
  readonly heading_deg: number | null;
  readonly tilt_deg: number | null;
  readonly field_of_view_deg: number | null;
  readonly owner: string | null;
  readonly purpose: string | null;
  readonly legal_basis: string | null;
  readonly site_category: string | null;
  readonly filing_number: string | null;
  readonly gb28181_code: string | null;
  readonly updated_by: string | null;
  readonly updated_ms: number | null;
  readonly version: number | null;
  readonly photo_type: SignPhoto["mediaType"] | null;
  readonly photo_bytes: number;
  readonly photo_sha256: string;
  readonly photo_by: string;
  readonly photo_ms: number;
}

interface PhotoRow {
  readonly media_type: SignPhoto["mediaType"];
  readonly bytes: number;
  readonly sha256: string;
  readonly uploaded_by: string;
  readonly uploaded_ms: number;
}

const UNIQUE_VIOLATION = "23505";

// The picture itself is never read for its length: octet_length takes it from the row's pointer.
const SELECT_RECORD = `
  SELECT c.id, c.name, c.area_id, c.manufacturer, c.model, c.firmware, c.serial, c.address, c.hardware_address,
    c.endpoint, c.capabilities, c.ptz, c.streams, c.measured, c.clock_offset_ms::float8 AS clock_offset_ms,
    ${millisOf("c.described_at")} AS described_ms,
    r.latitude, r.longitude, r.coordinate_system, r.height_m, r.heading_deg, r.tilt_deg, r.field_of_view_deg, r.owner,
    r.purpose, r.legal_basis, r.site_category, r.filing_number, r.gb28181_code, r.updated_by,
    ${millisOf("r.updated_at")} AS updated_ms, r.version,
    p.media_type AS photo_type, octet_length(p.image) AS photo_bytes, encode(p.sha256, 'hex') AS photo_sha256,
    p.uploaded_by AS photo_by, ${millisOf("p.uploaded_at")} AS photo_ms
  FROM camera AS c LEFT JOIN device_record AS r ON r.camera_id = c.id LEFT JOIN sign_photo AS p ON p.camera_id = c.id`;

/** Records of cameras: the agent's word from the camera's row, people's from their own. */
export class PostgresDeviceRecordStore implements DeviceRecordStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listRecords({ after, limit }: { after: string | null; limit: number }): Promise<StoredRecord[]> {
    const found = await this.#pool.query<RecordRow>(
      `${SELECT_RECORD} WHERE c.id > $1 ORDER BY c.id LIMIT $2`,
      [after ?? "", limit],
    );
    return found.rows.map(toRecord);
  }

  async findRecord(cameraId: string): Promise<StoredRecord | null> {
    const found = await this.#pool.query<RecordRow>(`${SELECT_RECORD} WHERE c.id = $1`, [cameraId]);
    return found.rows[0] ? toRecord(found.rows[0]) : null;
  }

  async putRecord(draft: RecordDraft): Promise<RecordPutOutcome> {
    try {
      const isWritten = await this.#write(draft);
      const current = await this.findRecord(draft.cameraId);
      if (current === null) return { outcome: "missing" };
      return isWritten ? { outcome: "done", row: current } : { outcome: "conflict", current };
    } catch (thrown) {
      if (sqlStateOf(thrown) !== UNIQUE_VIOLATION) throw thrown;
      const found = await this.#pool.query<{ camera_id: string }>(
        "SELECT camera_id FROM device_record WHERE gb28181_code = $1",
        [draft.gb28181Code],
      );
      return { outcome: "codeTaken", cameraId: found.rows[0]?.camera_id ?? null };
    }
  }

  async #write(draft: RecordDraft): Promise<boolean> {
    const written = await this.#pool.query(draft.version === 0 ? INSERT_RECORD : UPDATE_RECORD, [
      draft.cameraId,
      draft.position?.latitude ?? null,
      draft.position?.longitude ?? null,
      draft.position?.coordinateSystem ?? null,
      draft.heightM,
      draft.headingDeg,
      draft.tiltDeg,
      draft.fieldOfViewDeg,
      draft.owner,
      draft.purpose,
      draft.legalBasis,
      draft.siteCategory,
      draft.filingNumber,
      draft.gb28181Code,
      draft.by,
      ...(draft.version === 0 ? [] : [draft.version]),
    ]);
    return written.rowCount === 1;
  }

  async findCategory(slug: string): Promise<SiteCategory | null> {
    const found = await this.#pool.query<CategoryRow>(
      `SELECT ${CATEGORY_COLUMNS} FROM site_category WHERE slug = $1`,
      [slug],
    );
    return found.rows[0] ? toCategory(found.rows[0]) : null;
  }

  async putSignPhoto(photo: SignPhotoFile & { cameraId: string; by: string }): Promise<SignPhoto | null> {
    const put = await this.#pool.query<PhotoRow>(
      `INSERT INTO sign_photo AS p (camera_id, media_type, image, sha256, uploaded_by)
       SELECT id, $2, $3::bytea, sha256($3::bytea), $4 FROM camera WHERE id = $1
       ON CONFLICT (camera_id) DO UPDATE SET media_type = EXCLUDED.media_type, image = EXCLUDED.image,
         sha256 = EXCLUDED.sha256, uploaded_by = EXCLUDED.uploaded_by, uploaded_at = now()
       RETURNING media_type, octet_length(image) AS bytes, encode(sha256, 'hex') AS sha256, uploaded_by,
         ${millisOf("uploaded_at")} AS uploaded_ms`,
      [photo.cameraId, photo.mediaType, photo.image, photo.by],
    );
    return put.rows[0] ? toPhoto(put.rows[0]) : null;
  }

  async readSignPhoto(cameraId: string): Promise<SignPhotoFile | null> {
    const found = await this.#pool.query<{ media_type: SignPhoto["mediaType"]; image: Buffer }>(
      "SELECT media_type, image FROM sign_photo WHERE camera_id = $1",
      [cameraId],
    );
    const row = found.rows[0];
    return row ? { mediaType: row.media_type, image: row.image } : null;
  }

  async deleteSignPhoto(cameraId: string): Promise<boolean> {
    const deleted = await this.#pool.query("DELETE FROM sign_photo WHERE camera_id = $1", [cameraId]);
    return deleted.rowCount === 1;
  }
}

/** The first writing of a record; nothing when somebody was faster, or there is no such camera. */
const INSERT_RECORD = `
  INSERT INTO device_record (camera_id, latitude, longitude, coordinate_system, height_m, heading_deg, tilt_deg,
    field_of_view_deg, owner, purpose, legal_basis, site_category, filing_number, gb28181_code, updated_by)
  SELECT id, $2::float8, $3::float8, $4::text, $5::float8, $6::float8, $7::float8, $8::float8, $9::text, $10::text,
    $11::text, $12::text, $13::text, $14::text, $15::text
  FROM camera WHERE id = $1 ON CONFLICT (camera_id) DO NOTHING`;

const UPDATE_RECORD = `
  UPDATE device_record SET latitude = $2, longitude = $3, coordinate_system = $4, height_m = $5, heading_deg = $6,
    tilt_deg = $7, field_of_view_deg = $8, owner = $9, purpose = $10, legal_basis = $11, site_category = $12,
    filing_number = $13, gb28181_code = $14, updated_by = $15, updated_at = now(), version = version + 1
  WHERE camera_id = $1 AND version = $16`;

const toRecord = (row: RecordRow): StoredRecord => ({
  cameraId: row.id,
  name: row.name,
  areaId: row.area_id,
  position: toPosition(row),
  heightM: row.height_m,
  headingDeg: row.heading_deg,
  tiltDeg: row.tilt_deg,
  fieldOfViewDeg: row.field_of_view_deg,
  owner: row.owner,
  purpose: row.purpose,
  legalBasis: row.legal_basis,
  siteCategory: row.site_category,
  filingNumber: row.filing_number,
  gb28181Code: row.gb28181_code,
  signPhoto:
    row.photo_type === null
      ? null
      : toPhoto({
          media_type: row.photo_type,
          bytes: row.photo_bytes,
          sha256: row.photo_sha256,
          uploaded_by: row.photo_by,
          uploaded_ms: row.photo_ms,
        }),
  device: toDevice(row),
  updatedBy: row.updated_by,
  updatedAtMs: row.updated_ms,
  version: row.version ?? 0,
});

const toDevice = (row: RecordRow): DeviceFacts => ({
  manufacturer: row.manufacturer,
  model: row.model,
  firmware: row.firmware,
  serial: row.serial,
  address: row.address,
  hardwareAddress: row.hardware_address,
  endpoint: row.endpoint,
  capabilities: row.capabilities,
  ptz: row.ptz,
  streams: row.streams,
  measured: row.measured,
  clockOffsetMs: row.clock_offset_ms,
  describedAtMs: row.described_ms,
});

function toPosition({ latitude, longitude, coordinate_system }: RecordRow): StoredRecord["position"] {
  if (latitude === null || longitude === null || coordinate_system === null) return null;
  return { latitude, longitude, coordinateSystem: coordinate_system };
}

const toPhoto = (row: PhotoRow): SignPhoto => ({
  mediaType: row.media_type,
  bytes: row.bytes,
  sha256: row.sha256,
  uploadedBy: row.uploaded_by,
  uploadedAtMs: row.uploaded_ms,
});
