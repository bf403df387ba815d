import { createAgent, createCamera } from "@huishi/testkit";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Argon2Hasher } from "../crypto/argon2-hasher.ts";
import { type Answer, ApiUnderTest, cookieOf } from "../../test-support/api-under-test.ts";

let server: ApiUnderTest;
let agentId: string;
const JPEG = Buffer.concat([Buffer.from("ffd8ffe0", "hex"), Buffer.from("a photograph of a sign")]);
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.from("another one")]);
const MARKUP = `<img src=x onerror="alert(1)">`;

const EMPTY = {
  position: null,
  heightM: null,
  headingDeg: null,
  tiltDeg: null,
  fieldOfViewDeg: null,
  owner: null,
  purpose: null,
  legalBasis: null,
  siteCategory: null,
  filingNumber: null,
  gb28181Code: null,
  version: 0,
};
const FULL = {
  ...EMPTY,
  position: { latitude: 20.27, longitude: 110.16, coordinateSystem: "WGS84" },
  heightM: 6.5,
  headingDeg: 0,
  tiltDeg: -15,
  fieldOfViewDeg: 87.5,
  owner: "城市管理局",
  purpose: "order at the market",
  legalBasis: "decision 7 of the city",
  siteCategory: "market",
  filingNumber: "F-2026-001",
  gb28181Code: "44080400081320000001",
};

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  agentId = (await createAgent(server.database.pool)).id;
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.database.pool.query("DELETE FROM camera");
  for (const id of ["a", "b", "c"]) await createCamera(server.database.pool, agentId, id);
});

const put = (id: string, body: unknown) => server.request("PUT", `/api/v1/cameras/${id}/record`, { body });
const describeCamera = (id: string) =>
  server.database.pool.query(
    `UPDATE camera SET manufacturer = 'Acme', model = 'M1', firmware = '1.2', serial = 'S9', address = '192.0.2.7:80',
       hardware_address = '02:00:00:00:00:01', endpoint = 'urn:uuid:1', capabilities = '["snapshot","imaging"]',
       streams = '[{"profile":"main","codec":"h264","width":1920,"height":1080}]', clock_offset_ms = -250,
       measured = '[{"profile":"main","codec":"h264","width":1920,"height":1080,"fps":24.9,"bitRate":4000000,"atMs":1}]',
       described_at = '2026-01-01'
     WHERE id = $1`,
    [id],
  );

/** Sends bytes as they are. */
async function upload(id: string, bytes: Buffer, type = "image/jpeg"): Promise<Answer> {
  const response = await fetch(`${server.api.url}/api/v1/cameras/${id}/sign-photo`, {
    method: "PUT",
    headers: { cookie: server.cookie, "content-type": type },
    body: new Uint8Array(bytes),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

describe("a device record", () => {
  it("that nobody wrote yet shows what the agent said, and names what is missing", async () => {
    await describeCamera("a");
    const { status, body } = await server.get("/api/v1/cameras/a/record");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      cameraId: "a",
      version: 0,
      position: null,
      updatedBy: null,
      signPhoto: null,
      gb28181Warnings: [],
      device: {
        manufacturer: "Acme",
        model: "M1",
        firmware: "1.2",
        serial: "S9",
        address: "192.0.2.7:80",
        hardwareAddress: "02:00:00:00:00:01",
        endpoint: "urn:uuid:1",
        capabilities: ["snapshot", "imaging"],
        streams: [{ profile: "main", codec: "h264", width: 1920, height: 1080 }],
        measured: [{ fps: 24.9, bitRate: 4_000_000 }],
        clockOffsetMs: -250,
        describedAtMs: Date.UTC(2026, 0, 1),
      },
    });
    expect(body.completeness).toMatchObject({ percent: 30 });
    expect(body.completeness.missing.slice(0, 3)).toEqual(["position", "purpose", "legalBasis"]);
    expect((await server.get("/api/v1/cameras/none/record")).body.code).toBe("CAMERA_NOT_FOUND");
  });

  it("is complete when agent and people said everything, with the sign's photograph", async () => {
    await describeCamera("a");
    expect((await put("a", FULL)).status).toBe(200);
    expect((await upload("a", JPEG)).status).toBe(200);
    const { body } = await server.get("/api/v1/cameras/a/record");
    const { version: _, ...said } = FULL;
    expect(body).toMatchObject({
      ...said,
      version: 1,
      updatedBy: "admin",
      completeness: { percent: 100, missing: [] },
    });
  });

  it("changes by version: an old one is refused with the newer record", async () => {
    expect((await put("a", FULL)).body.version).toBe(1);
    const again = await put("a", { ...FULL, owner: "x" });
    expect([again.status, again.body.code, again.body.details.current]).toMatchObject([
      409,
      "VERSION_CONFLICT",
      { version: 1, owner: "城市管理局", completeness: { missing: expect.any(Array) } },
    ]);
    expect((await put("a", { ...EMPTY, version: 1 })).body).toMatchObject({ version: 2, owner: null });
    expect((await put("b", { ...EMPTY, version: 3 })).body).toMatchObject({
      code: "VERSION_CONFLICT",
      details: { current: { version: 0 } },
    });
    const first = await Promise.all([1, 2, 3].map((owner) => put("c", { ...EMPTY, owner: `${owner}` })));
    expect(first.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 409, 409]);
    expect((await put("none", EMPTY)).body.code).toBe("CAMERA_NOT_FOUND");
  });

  it("takes no position whose coordinates are shifted, and none that is not on earth", async () => {
    const at = (position: object) => put("a", { ...EMPTY, position });
    for (const coordinateSystem of ["GCJ-02", "GCJ02", "BD-09", "wgs84"]) {
      const refused = await at({ latitude: 1, longitude: 2, coordinateSystem });
      expect([refused.status, refused.body.code]).toEqual([400, "COORDINATE_SYSTEM_REFUSED"]);
    }
    for (const position of [
      { latitude: 91, longitude: 0, coordinateSystem: "WGS84" },
      { latitude: 0, longitude: -181, coordinateSystem: "WGS84" },
      { latitude: 0, coordinateSystem: "WGS84" },
      { latitude: 0, longitude: 0 },
    ]) {
      expect((await at(position)).body.code).toBe("VALIDATION_FAILED");
    }
    expect((await at({ latitude: -90, longitude: 180, coordinateSystem: "CGCS2000" })).status).toBe(200);
  });

  it("has its kinds of places by people: made, changed by version, deleted when no camera stands there", async () => {
    const path = "/api/v1/site-categories/night_market";
    const category = { name: "夜市", nameEn: "Night market", prohibited: false, basis: null };
    const send = (method: string, body?: unknown) => server.request(method, path, { body });
    expect((await send("PUT", category)).body).toEqual({
      slug: "night_market",
      ...category,
      isFixed: false,
      version: 1,
    });
    expect((await send("PUT", category)).body.code).toBe("VERSION_CONFLICT");
    expect((await send("PUT", { ...category, nameEn: "Night stalls", version: 1 })).body.version).toBe(2);
    expect((await send("PUT", { ...category, version: 1 })).body.code).toBe("VERSION_CONFLICT");
    expect((await send("PUT", { ...category, prohibited: true, basis: " ", version: 2 })).body.code).toBe(
      "SITE_CATEGORY_BASIS",
    );
    const { version } = (await server.get("/api/v1/cameras/a/record")).body;
    expect((await put("a", { ...FULL, version, siteCategory: "night_market" })).status).toBe(200);
    const inUse = await send("PUT", { ...category, prohibited: true, basis: "decision 9", version: 2 });
    expect([inUse.status, inUse.body.code, inUse.body.details.cameras]).toEqual([
      409,
      "SITE_CATEGORY_IN_USE",
      1,
    ]);
    expect((await send("DELETE")).body.code).toBe("SITE_CATEGORY_IN_USE");
    await server.database.pool.query("UPDATE device_record SET site_category = NULL");
    expect(
      (await send("PUT", { ...category, prohibited: true, basis: "decision 9", version: 2 })).status,
    ).toBe(200);
    const again = (await server.get("/api/v1/cameras/a/record")).body.version;
    expect((await put("a", { ...FULL, version: again, siteCategory: "night_market" })).body.code).toBe(
      "SITE_PROHIBITED",
    );
    expect((await send("DELETE")).status).toBe(204);
    expect((await send("DELETE")).body.code).toBe("SITE_CATEGORY_NOT_FOUND");
    await server.database.pool.query("DELETE FROM device_record");
  });

  it("cannot lift what the law prohibits, only word it", async () => {
    const path = "/api/v1/site-categories/toilet";
    const { categories } = (await server.get("/api/v1/site-categories")).body;
    const {
      slug: _slug,
      isFixed,
      ...law
    } = categories.find(({ slug }: { slug: string }) => slug === "toilet");
    expect(isFixed).toBe(true);
    const lifted = await server.request("PUT", path, { body: { ...law, prohibited: false } });
    expect([lifted.status, lifted.body.code]).toEqual([409, "SITE_CATEGORY_FIXED"]);
    expect((await server.request("DELETE", path)).body.code).toBe("SITE_CATEGORY_FIXED");
    const worded = await server.request("PUT", path, { body: { ...law, nameEn: "Lavatory" } });
    expect(worded.body).toMatchObject({ nameEn: "Lavatory", prohibited: true, isFixed: true, version: 2 });
  });

  it("of a prohibited place is refused with the reason, and nothing is kept", async () => {
    const { categories } = (await server.get("/api/v1/site-categories")).body;
    const prohibited = categories.filter((category: { prohibited: boolean }) => category.prohibited);
    expect(prohibited.length).toBeGreaterThan(3);
    for (const { slug, basis } of prohibited) {
      const refused = await put("a", { ...FULL, siteCategory: slug });
      expect([refused.status, refused.body.code]).toEqual([409, "SITE_PROHIBITED"]);
      expect(refused.body.details).toEqual({ siteCategory: slug, basis });
      expect(basis).not.toBeNull();
    }
    expect((await put("a", { ...FULL, siteCategory: "moon" })).body.code).toBe("SITE_CATEGORY_NOT_FOUND");
    expect((await server.get("/api/v1/cameras/a/record")).body.version).toBe(0);
  });

  it("has a GB/T 28181 code of 20 digits that no other camera has; what is odd in it is a warning", async () => {
    for (const gb28181Code of ["1", "4408040008132000000x", "440804000813200000012"]) {
      expect((await put("a", { ...EMPTY, gb28181Code })).body.code).toBe("DEVICE_CODE_INVALID");
    }
    const odd = await put("a", { ...EMPTY, gb28181Code: "99010500205000000001" });
    expect(odd.body.gb28181Warnings).toEqual(["unknown_province", "unknown_industry", "not_a_camera_type"]);
    const taken = await put("b", { ...EMPTY, gb28181Code: "99010500205000000001" });
    expect([taken.status, taken.body.code, taken.body.details.cameraId]).toEqual([
      409,
      "DEVICE_CODE_TAKEN",
      "a",
    ]);
    expect((await put("a", { ...EMPTY, gb28181Code: "99010500205000000001", version: 1 })).status).toBe(200);
  });

  it("bounds every field, wants all of them, and keeps markup as text", async () => {
    for (const change of [
      { owner: "x".repeat(201) },
      { purpose: "x".repeat(501) },
      { legalBasis: "" },
      { headingDeg: 360 },
      { tiltDeg: -91 },
      { fieldOfViewDeg: 0 },
      { heightM: 1e9 },
      { siteCategory: "'; DROP TABLE camera; --" },
      { version: -1 },
      { version: 2 ** 31 },
      { surplus: 1 },
      { owner: undefined },
      { owner: "nul \0 byte" },
    ]) {
      const refused = await put("a", { ...EMPTY, ...change });
      expect([refused.status, refused.body.code], JSON.stringify(change)).toEqual([400, "VALIDATION_FAILED"]);
    }
    const kept = await put("a", { ...EMPTY, owner: MARKUP, purpose: "   " });
    expect(kept.body).toMatchObject({ owner: MARKUP, purpose: null });
    expect(kept.headers.get("content-type")).toContain("application/json");
  });

  it("goes with its camera", async () => {
    await put("a", FULL);
    await upload("a", PNG);
    expect((await server.request("DELETE", "/api/v1/cameras/a")).status).toBe(204);
    const left = await server.database.pool.query(
      "SELECT camera_id FROM device_record UNION ALL SELECT camera_id FROM sign_photo",
    );
    expect(left.rows).toEqual([]);
  });
});

describe("the photograph of a sign", () => {
  it("is kept with its hash, shown as what its bytes are, and never run", async () => {
    const kept = await upload("a", PNG, "image/jpeg");
    const sha256 = createHash("sha256").update(PNG).digest("hex");
    expect(kept).toMatchObject({
      status: 200,
      body: { mediaType: "image/png", bytes: PNG.length, sha256, uploadedBy: "admin" },
    });
    const response = await fetch(`${server.api.url}/api/v1/cameras/a/sign-photo`, {
      headers: { cookie: server.cookie },
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(PNG);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "x-content-type-options": "nosniff",
      "content-disposition": "inline",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "no-store",
    });
    expect((await upload("a", JPEG)).body.mediaType).toBe("image/jpeg");
    expect((await server.get("/api/v1/cameras/a/record")).body.signPhoto).toMatchObject({
      mediaType: "image/jpeg",
      bytes: JPEG.length,
    });
  });

  it("is refused when it is no JPEG or PNG, whatever its header says", async () => {
    for (const [bytes, type] of [
      [Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "image/png"],
      [Buffer.from("GIF89a......"), "image/jpeg"],
      [Buffer.from(`{"a":1}`), "application/json"],
      [Buffer.from("<html>"), "text/html"],
    ] as const) {
      const refused = await upload("a", bytes, type);
      expect([refused.status, refused.body.code]).toEqual([415, "SIGN_PHOTO_TYPE"]);
    }
    const nothing = await server.request("PUT", "/api/v1/cameras/a/sign-photo");
    expect([nothing.status, nothing.body.code]).toEqual([415, "SIGN_PHOTO_TYPE"]);
    expect((await server.get("/api/v1/cameras/a/sign-photo")).body.code).toBe("SIGN_PHOTO_NOT_FOUND");
  });

  it("is at most 2 MiB long, and no other route takes more than before", async () => {
    const sized = (bytes: number) => Buffer.concat([JPEG, Buffer.alloc(bytes - JPEG.length)]);
    expect((await upload("a", sized(2 * 1024 * 1024))).status).toBe(200);
    const huge = await upload("a", sized(2 * 1024 * 1024 + 1));
    expect([huge.status, huge.body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    const record = await put("a", { ...EMPTY, owner: "x".repeat(300_000) });
    expect([record.status, record.body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    const elsewhere = await server.request("PUT", "/api/v1/areas/x", {
      body: JPEG.toString("latin1"),
      headers: { "content-type": "image/jpeg" },
    });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([415, "MEDIA_TYPE_UNSUPPORTED"]);
  });

  it("is deleted once, and belongs to a camera that is there", async () => {
    await upload("a", JPEG);
    const path = "/api/v1/cameras/a/sign-photo";
    expect((await server.request("DELETE", path)).status).toBe(204);
    expect((await server.request("DELETE", path)).body.code).toBe("SIGN_PHOTO_NOT_FOUND");
    expect((await upload("none", JPEG)).body.code).toBe("CAMERA_NOT_FOUND");
    expect((await server.get("/api/v1/cameras/none/sign-photo")).body.code).toBe("CAMERA_NOT_FOUND");
    expect((await server.get(path)).body.code).toBe("SIGN_PHOTO_NOT_FOUND");
  });
});

describe("the list of records", () => {
  const idsOf = (answer: Answer): string[] =>
    answer.body.records.map(({ cameraId }: { cameraId: string }) => cameraId);
  const list = (query = "") => server.get(`/api/v1/device-records${query}`);

  it("comes in pages, each camera once", async () => {
    const first = await list("?limit=2");
    expect([idsOf(first), first.body.next]).toEqual([["a", "b"], "b"]);
    const second = await list("?limit=2&after=b");
    expect([idsOf(second), second.body.next]).toEqual([["c"], null]);
    const exact = await list("?limit=3");
    expect([idsOf(exact), exact.body.next]).toEqual([["a", "b", "c"], null]);
  });

  it("is narrowed to what is incomplete, and to what lacks one thing", async () => {
    await describeCamera("b");
    await put("b", FULL);
    await upload("b", JPEG);
    await put("c", { ...EMPTY, owner: "somebody" });
    expect(idsOf(await list("?incomplete=true"))).toEqual(["a", "c"]);
    expect(idsOf(await list("?incomplete=false"))).toEqual(["b"]);
    expect(idsOf(await list("?missing=owner"))).toEqual(["a"]);
    const page = await list("?missing=serial&limit=1");
    expect([idsOf(page), page.body.next]).toEqual([["a"], "a"]);
    expect(idsOf(await list("?missing=serial&limit=1&after=a"))).toEqual(["c"]);
    for (const query of ["?missing=soul", "?limit=0", "?limit=501", "?after=%27", "?incomplete=maybe"]) {
      expect((await list(query)).body.code, query).toBe("VALIDATION_FAILED");
    }
  });

  it("walks through more cameras than one look takes", async () => {
    await server.database.pool.query(
      "INSERT INTO camera (id, agent_id, name) SELECT 'n' || to_char(i, 'FM0000'), $1, 'n' FROM generate_series(1, 1200) AS i",
      [agentId],
    );
    await put("n1200", { ...EMPTY, owner: "the last one" });
    const seen: string[] = [];
    let after = "";
    do {
      const { body } = await list(`?limit=500&missing=owner${after}`);
      for (const { cameraId } of body.records) seen.push(cameraId as string);
      after = body.next === null ? "" : `&after=${body.next}`;
    } while (after !== "");
    expect([seen.length, new Set(seen).size, seen.at(-1)]).toEqual([1202, 1202, "n1199"]);
    const sheet = (await server.get("/api/v1/device-records.csv")).body as string;
    expect(sheet.trimEnd().split("\r\n")).toHaveLength(1 + 1203);
  });

  it("is had as a sheet that a spreadsheet reads as UTF-8 and calculates nothing of", async () => {
    await describeCamera("a");
    await put("a", { ...FULL, owner: '=HYPERLINK("http://evil.example","城管")', purpose: "@a, -b" });
    await upload("a", JPEG);
    await server.database.pool.query("UPDATE camera SET name = '-2+3' WHERE id = 'b'");
    const response = await fetch(`${server.api.url}/api/v1/device-records.csv`, {
      headers: { cookie: server.cookie },
    });
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(response.headers.get("content-disposition")).toContain("attachment");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from("efbbbf", "hex"));
    const [head, a, b, c, end] = bytes.subarray(3).toString("utf8").split("\r\n");
    expect(head).toMatch(/^camera_id,name,area_id,gb28181_code,latitude,longitude,.*,missing,version$/);
    expect(a).toContain(`,44080400081320000001,20.27,110.16,WGS84,6.5,0,-15,87.5,`);
    expect(a).toContain(
      `"'=HYPERLINK(""http://evil.example"",""城管"")","'@a, -b",decision 7 of the city,market,`,
    );
    expect(a).toContain(`,h264,1920,1080,24.9,4000000,,,,,,-250,100,,1`);
    expect(b).toMatch(/^b,"'-2\+3",/);
    expect([c?.startsWith("c,"), end]).toEqual([true, ""]);
    const filtered = (await server.get("/api/v1/device-records.csv?incomplete=false")).body as string;
    expect(filtered.trimEnd().split("\r\n")).toHaveLength(2);
  });
});

describe("an operator", () => {
  it("reads records and photographs, and writes none", async () => {
    await server.database.pool.query(
      "INSERT INTO app_user (user_name, password_hash, role) VALUES ('olga', $1, 'operator')",
      [await new Argon2Hasher().hash("operator's word")],
    );
    const signedIn = await server.post("/api/v1/sign-in", { userName: "olga", password: "operator's word" });
    const headers = { cookie: cookieOf(signedIn) };
    await upload("a", JPEG);
    for (const path of [
      "cameras/a/record",
      "cameras/a/sign-photo",
      "device-records",
      "device-records.csv",
      "site-categories",
    ]) {
      expect((await server.get(`/api/v1/${path}`, headers)).status, path).toBe(200);
    }
    const category = { name: "x", nameEn: "x", prohibited: false, basis: null };
    for (const [method, body] of [["PUT", category], ["DELETE"]] as const) {
      const refused = await server.request(method, "/api/v1/site-categories/road", { body, headers });
      expect([refused.status, refused.body.code]).toEqual([403, "NOT_ALLOWED"]);
    }
    for (const [method, path, body] of [
      ["PUT", "record", EMPTY],
      ["PUT", "sign-photo", undefined],
      ["DELETE", "sign-photo", undefined],
    ] as const) {
      const refused = await server.request(method, `/api/v1/cameras/a/${path}`, { body, headers });
      expect([refused.status, refused.body.code]).toEqual([403, "NOT_ALLOWED"]);
    }
  });
});
