import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Argon2Hasher } from "../crypto/argon2-hasher.ts";
import { ADMINISTRATOR, ApiUnderTest, cookieOf } from "../../test-support/api-under-test.ts";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly isPublic: boolean;
  readonly requires: string | undefined;
}

let server: ApiUnderTest;
let operations: Operation[];
let operatorCookie: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const { paths } = (await server.get("/api/v1/openapi.json")).body as {
    paths: Record<string, Record<string, { security: object[]; "x-requires"?: string }>>;
  };
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll("{id}", "1"),
      isPublic: operation.security.length === 0,
      requires: operation["x-requires"],
    })),
  );
  await server.database.pool.query(
    "INSERT INTO app_user (user_name, password_hash, role) VALUES ('olga', $1, 'operator')",
    [await new Argon2Hasher().hash("operator's word")],
  );
  const signedIn = await server.post(
    "/api/v1/sign-in",
    { userName: "Olga", password: "operator's word" },
    { cookie: "" },
  );
  operatorCookie = cookieOf(signedIn);
});
afterAll(() => server.stop());

describe("authorisation", () => {
  it("answers 401 to whoever is not signed in, on every route that is not public", async () => {
    const closed = operations.filter((operation) => !operation.isPublic);
    expect(closed.length).toBeGreaterThan(20);
    for (const { method, path } of closed) {
      for (const cookie of ["", "huishi=x", `huishi=${"A".repeat(43)}`]) {
        // A proxy's header takes the loopback privilege of /metrics away.
        const headers = { cookie, "x-forwarded-for": "203.0.113.9" };
        const answer = await server.request(method, path, { headers });
        expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([401, "NOT_SIGNED_IN"]);
      }
    }
  });

  it("answers 403 to an operator on every route that configures or administers, and on no other", async () => {
    for (const { method, path, requires } of operations) {
      if (path.endsWith("sign-out") || path.endsWith("setup")) continue;
      const answer = await server.request(method, path, { headers: { cookie: operatorCookie } });
      const isRefused = requires === "configure" || requires === "administer";
      expect(answer.body?.code === "NOT_ALLOWED", `${method} ${path} -> ${answer.status}`).toBe(isRefused);
    }
  });

  it("lets a scraper on this machine read the metrics, and nobody through a proxy", async () => {
    const metrics = await server.get("/metrics", { cookie: "" });
    expect(metrics.body).toContain("huishi_api_sockets_open");
    expect((await server.get("/metrics", { cookie: "", "x-forwarded-for": "127.0.0.1" })).status).toBe(401);
  });

  it("refuses what changes something when it comes from another site", async () => {
    const crossSite: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: server.api.url },
    ];
    for (const headers of crossSite) {
      const answer = await server.post("/api/v1/agents/claim-codes", undefined, headers);
      expect([answer.status, answer.body.code]).toEqual([403, "CROSS_SITE_REFUSED"]);
    }
    const own = { origin: server.api.url, "sec-fetch-site": "same-origin" };
    expect((await server.post("/api/v1/agents/claim-codes", undefined, own)).status).toBe(201);
  });
});

const attemptAs = (person: { userName: string; password: string }) =>
  server.post("/api/v1/sign-in", person, { cookie: "" });

describe("sign-in", () => {
  const attempt = (userName: string, password: string) => attemptAs({ userName, password });

  it("gives a name that exists and one that does not the same answers, up to the lock", async () => {
    const known = [];
    const unknown = [];
    for (let i = 0; i < 6; i++) {
      known.push(await attempt("olga", "wrong"));
      unknown.push(await attempt("nobody", "wrong"));
    }
    const codes = [
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "SIGN_IN_LOCKED",
    ];
    expect(known.map((answer) => answer.body.code)).toEqual(codes);
    expect(unknown.map((answer) => answer.body.code)).toEqual(codes);
    expect(known.at(-1)?.body.details.retryAfterMs).toBeGreaterThan(20_000);
    expect(Number(known.at(-1)?.headers.get("retry-after"))).toBeGreaterThan(20);
    expect((await attempt("olga", "operator's word")).body.code).toBe("SIGN_IN_LOCKED");
  });

  it("counts parallel guesses before it looks at them", async () => {
    await server.database.pool.query(
      "INSERT INTO app_user (user_name, password_hash, role) VALUES ('petra', $1, 'operator')",
      [await new Argon2Hasher().hash("petra's own word")],
    );
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => attempt("petra", `guess ${i}`)));
    expect(answers.filter((answer) => answer.body.code === "SIGN_IN_FAILED")).toHaveLength(5);
  });

  it("forgets failures after a success", async () => {
    for (let i = 0; i < 4; i++) await attempt("admin", "wrong");
    expect((await attempt("ADMIN", ADMINISTRATOR.password)).status).toBe(200);
    expect((await attempt("admin", "wrong")).body.code).toBe("SIGN_IN_FAILED");
    expect((await attempt("admin", ADMINISTRATOR.password)).status).toBe(200);
  });

  it("is limited by address, whatever the names", async () => {
    const limited = await ApiUnderTest.start({ attemptsPerMinute: 3 });
    const answers = [];
    for (let i = 0; i < 4; i++)
      answers.push(await limited.post("/api/v1/sign-in", { userName: `u${i}`, password: "x" }));
    expect(answers.map((answer) => answer.body.code)).toEqual([
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "SIGN_IN_FAILED",
      "RATE_LIMITED",
    ]);
    await limited.stop();
  });
});

describe("a session", () => {
  it("is renewed while it is used, and ends at its time", async () => {
    const cookie = cookieOf(await attemptAs(ADMINISTRATOR));
    const expireIn = (interval: string) =>
      server.database.pool.query(
        `UPDATE user_session SET expires_at = now() + $1::interval WHERE created_at = (SELECT max(created_at) FROM user_session)`,
        [interval],
      );
    expect((await server.get("/api/v1/session", { cookie })).headers.get("set-cookie")).toBeNull();
    await expireIn("1 hour");
    const renewed = await server.get("/api/v1/session", { cookie });
    expect(cookieOf(renewed)).toBe(cookie);
    expect(renewed.body.expiresAtMs - Date.now()).toBeGreaterThan(20 * 3600_000);
    await expireIn("-1 second");
    expect((await server.get("/api/v1/session", { cookie })).status).toBe(401);
  });
});

describe("the dashboard's files", () => {
  it("come with a strict policy, hashed ones for ever, pages as index.html", async () => {
    const page = await server.get("/wall/1", { cookie: "" });
    expect(page.body).toContain("<title>Huishi</title>");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).not.toContain("unsafe");
    expect(policy).toContain("frame-ancestors 'none'");
    const asset = await server.get("/assets/main-abc123.js", { cookie: "" });
    expect(asset.headers.get("cache-control")).toContain("immutable");
  });

  it("never leave their folder, and unknown addresses of the API are JSON", async () => {
    for (const path of [
      "/..%2f..%2fetc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/assets/..%5c..%5cetc%5cpasswd",
    ]) {
      expect((await server.get(path)).body).not.toContain?.("root:");
    }
    expect((await server.get("/api/v1/nothing")).body.code).toBe("ROUTE_NOT_FOUND");
    expect((await server.get("/assets/none.js")).body.code).toBe("ROUTE_NOT_FOUND");
  });
});

describe("the log", () => {
  it("names the route of each request and holds no password, token, code or query", async () => {
    const issued = await server.post("/api/v1/agents/claim-codes");
    const claimed = await server.post(
      "/api/v1/agents/claim",
      { code: issued.body.code, name: "box" },
      { cookie: "" },
    );
    await server.get("/api/v1/alarms?before=424242");
    const log = server.logLines.join("");
    expect(log).toContain("/api/v1/alarms");
    const [, token] = server.cookie.split("=");
    for (const secret of [ADMINISTRATOR.password, token, issued.body.code, claimed.body.secret, "424242"]) {
      expect(log).not.toContain(secret);
    }
  });
});

describe("operation", () => {
  it("tells that it lives and is ready, without a session", async () => {
    expect((await server.get("/livez", { cookie: "" })).body).toMatchObject({ live: true });
    expect((await server.get("/readyz", { cookie: "" })).body).toEqual({
      ready: true,
      parts: [{ name: "database", ok: true }],
    });
  });

  it("refuses bodies that are too large, of another type or not JSON", async () => {
    const tooLarge = await server.post("/api/v1/sign-in", { userName: "x".repeat(300_000), password: "x" });
    expect([tooLarge.status, tooLarge.body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    const wrongType = await server.post("/api/v1/sign-in", "a=b", {
      "content-type": "application/x-www-form-urlencoded",
    });
    expect([wrongType.status, wrongType.body.code]).toEqual([415, "MEDIA_TYPE_UNSUPPORTED"]);
    const poisoned = await server.post(
      "/api/v1/sign-in",
      `{"__proto__":{"a":1},"userName":"a","password":"b"}`,
    );
    expect(poisoned.status).toBe(400);
    const nul = await server.post("/api/v1/sign-in", { userName: "a\u0000", password: "b" });
    expect(nul.body.code).toBe("VALIDATION_FAILED");
  });
});
