import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

describe("the configuration", () => {
  it("binds loopback unless told otherwise", () => {
    expect(readConfig({ DATABASE_URL: "postgres://h/d" }, "/dashboard")).toEqual({
      databaseUrl: "postgres://h/d",
      host: "127.0.0.1",
      port: 8080,
      dashboardDir: "/dashboard",
      mqttUrl: "mqtt://127.0.0.1:1883",
      publicOrigin: null,
      trustedProxies: [],
      tls: null,
    });
  });

  it.each([
    ["DATABASE_URL", {}],
    ["HUISHI_API_PORT", { DATABASE_URL: "postgres://h/d", HUISHI_API_PORT: "http" }],
    ["HUISHI_TLS_KEY", { DATABASE_URL: "postgres://h/d", HUISHI_TLS_CERT: "cert.pem" }],
    ["HUISHI_TLS_CERT", { DATABASE_URL: "postgres://h/d", HUISHI_TLS_KEY: "key.pem" }],
    ["HUISHI_PUBLIC_ORIGIN", { DATABASE_URL: "postgres://h/d", HUISHI_PUBLIC_ORIGIN: "wall.example/path" }],
  ])("names the variable that is wrong: %s", (name, env) => {
    expect(() => readConfig(env, "")).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", details: { name } }),
    );
  });
});
