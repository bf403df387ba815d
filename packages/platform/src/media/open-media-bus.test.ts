import { describe, expect, it } from "vitest";
import { readMediaBusConfig } from "./open-media-bus.ts";

describe("the configuration of the media bus", () => {
  it("stays within the process without HUISHI_NATS_URL", () => {
    expect(readMediaBusConfig({})).toBeNull();
    expect(readMediaBusConfig({ HUISHI_NATS_URL: "" })).toBeNull();
  });

  it("reads address, TLS and the places of secrets", () => {
    expect(
      readMediaBusConfig({
        HUISHI_NATS_URL: "tls://nats.example:4333",
        HUISHI_NATS_USER: "analytics",
        HUISHI_NATS_PASSWORD_FILE: "/run/credentials/nats",
        HUISHI_NATS_CA: "/etc/huishi/ca.pem",
      }),
    ).toEqual({
      host: "nats.example",
      port: 4333,
      isSecured: true,
      user: "analytics",
      passwordFile: "/run/credentials/nats",
      caFile: "/etc/huishi/ca.pem",
    });
    expect(readMediaBusConfig({ HUISHI_NATS_URL: "nats://[::1]" })).toEqual({
      host: "::1",
      port: 4222,
      isSecured: false,
    });
  });

  it("lets no picture leave the machine in the clear unless told to", () => {
    const env = { HUISHI_NATS_URL: "nats://10.0.0.5:4222" };
    expect(() => readMediaBusConfig(env)).toThrow(expect.objectContaining({ code: "NATS_PLAIN_REFUSED" }));
    expect(readMediaBusConfig({ ...env, HUISHI_NATS_PLAIN: "allow" })).toMatchObject({ host: "10.0.0.5" });
  });

  it.each([
    [{ HUISHI_NATS_URL: "nats://user:hunter2@127.0.0.1:4222" }, "HUISHI_NATS_URL"],
    [{ HUISHI_NATS_URL: "http://127.0.0.1" }, "HUISHI_NATS_URL"],
    [{ HUISHI_NATS_URL: "tls://a", HUISHI_NATS_CERT: "/a.pem" }, "HUISHI_NATS_KEY"],
    [{ HUISHI_NATS_URL: "tls://a", HUISHI_NATS_USER: "a" }, "HUISHI_NATS_PASSWORD_FILE"],
    [{ HUISHI_NATS_URL: "tls://a", HUISHI_NATS_PLAIN: "yes" }, "HUISHI_NATS_PLAIN"],
  ])("names the variable that is wrong and never shows its value: %j", (env, name) => {
    try {
      readMediaBusConfig(env);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "CONFIG_INVALID" });
      expect((error as Error).message).toContain(name);
      expect(JSON.stringify(error)).not.toContain("hunter2");
      expect((error as Error).message).not.toContain("hunter2");
    }
  });
});
