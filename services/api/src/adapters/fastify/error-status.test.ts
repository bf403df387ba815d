import { HuishiError } from "@huishi/kernel";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { STATUS_OF_CODE } from "./error-status.ts";
import { answerTo } from "./errors.ts";

const SOURCES = new URL("../../", import.meta.url);
/** Codes that stop the start and never reach a client. */
const START_CODES = [
  "HTTP_TLS_UNREADABLE",
  "HTTP_TLS_INVALID",
  "CONFIG_INVALID",
  "LISTEN_FAILED",
  "PORT_TAKEN",
  "RIGHT_WITHOUT_ROUTE",
  "ROUTE_WITHOUT_RIGHT",
];

async function codesInSource(): Promise<string[]> {
  const files = (await readdir(SOURCES, { recursive: true })).filter(
    (file) => file.endsWith(".ts") && !file.includes(".test.") && !file.startsWith("test-support"),
  );
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, SOURCES), "utf8")));
  const thrown =
    /(?:HuishiError\(|notFound\(|limitReached\(|fault\(\d+, |code: )\s*"([A-Z]+(?:_[A-Z0-9]+)*)"/g;
  const mapped = /: \[\s*"([A-Z]+(?:_[A-Z0-9]+)+)"/g;
  const codesOf = (text: string): string[] =>
    [...text.matchAll(thrown), ...text.matchAll(mapped)].map((match) => match[1] as string);
  return [...new Set(texts.flatMap(codesOf))];
}

describe("error codes", () => {
  it("that the api uses all have a status, and the other way round", async () => {
    const used = (await codesInSource()).filter((code) => !START_CODES.includes(code));
    expect(used.filter((code) => !Object.hasOwn(STATUS_OF_CODE, code))).toEqual([]);
    const inTexts = new Set([...used, "VALIDATION_FAILED", "DATABASE_UNAVAILABLE", "INTERNAL"]);
    expect(Object.keys(STATUS_OF_CODE).filter((code) => !inTexts.has(code))).toEqual([]);
  });

  it("stand in docs/errors.md with the status that is sent", async () => {
    const page = await readFile(new URL("../../../docs/errors.md", SOURCES), "utf8");
    for (const [code, status] of Object.entries(STATUS_OF_CODE)) {
      expect(page).toMatch(new RegExp(`\\| \`${code}\` +\\| ${status} +\\|`));
    }
    for (const code of START_CODES) expect(page).toContain(`\`${code}\``);
    const section = page.slice(page.indexOf("## API"), page.indexOf("WebSocket close codes"));
    const documented = [...section.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map((match) => match[1] as string);
    expect(documented.filter((code) => !Object.hasOwn(STATUS_OF_CODE, code))).toEqual([]);
  });
});

describe("an answer to a fault", () => {
  it("tells the code and nothing of our insides", () => {
    const secret = "postgres://user:secret@host/db";
    expect(answerTo(new Error(secret))).toMatchObject({
      status: 500,
      isFault: true,
      body: { code: "INTERNAL" },
    });
    expect(JSON.stringify(answerTo(new Error(secret)))).not.toContain("secret");
    expect(JSON.stringify(answerTo(new HuishiError("MIGRATION_FAILED", secret)))).not.toContain("secret");
  });

  it("tells a database that is away from a mistake in a statement", () => {
    const withCode = (code: string): Error => Object.assign(new Error("x"), { code });
    expect(answerTo(withCode("ECONNREFUSED")).body.code).toBe("DATABASE_UNAVAILABLE");
    expect(answerTo(withCode("57P03")).body.code).toBe("DATABASE_UNAVAILABLE");
    expect(answerTo(new Error("timeout exceeded when trying to connect")).body.code).toBe(
      "DATABASE_UNAVAILABLE",
    );
    expect(answerTo(withCode("42601")).body.code).toBe("INTERNAL");
    expect(answerTo(withCode("22003")).body.code).toBe("VALIDATION_FAILED");
    expect(answerTo(withCode("23503")).body.code).toBe("REFERENCE_GONE");
    expect(answerTo(withCode("23001"))).toMatchObject({ status: 409, body: { code: "LEGAL_HOLD_COVERS" } });
  });
});
