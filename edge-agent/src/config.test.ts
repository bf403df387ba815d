import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig, parseConfig, withEnvironment } from "./config.ts";

const good = {
  stateDir: "state",
  serverUrl: "http://127.0.0.1:8080",
  cameras: [],
  discovery: { enabled: false },
};
const faultOf = (value: unknown): { code?: string; message?: string } => {
  try {
    parseConfig(value);
    return {};
  } catch (error) {
    return error as { code: string; message: string };
  }
};

describe("configuration", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-config-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each([
    ["/cameras/0/onvif", { ...good, cameras: [{ onvif: "not a url" }] }],
    ["/cameras/0/rtsp/main", { ...good, cameras: [{ rtsp: { main: "file:///etc/passwd" } }] }],
    ["/cameras/1", { ...good, cameras: [{ rtsp: { main: "rtsp://h/" } }, { name: "neither" }] }],
    ["/serverUrl", { ...good, serverUrl: "ftp://h" }],
    ["/mqttUrl", { ...good, mqttUrl: "http://h" }],
    ["/stateDir", { ...good, stateDir: 7 }],
    ["/discovery/interfaceAddress", { ...good, discovery: { enabled: true, interfaceAddress: "eth0" } }],
    ["/cameras/0/id", { ...good, cameras: [{ rtsp: { main: "rtsp://h/" }, record: ["main"] }] }],
    ["twice", { ...good, cameras: [1, 2].map(() => ({ id: "a", rtsp: { main: "rtsp://h/" } })) }],
  ])("names the wrong field: %s", (path, value) => {
    const fault = faultOf(value);
    expect(fault.code).toBe("CONFIG_INVALID");
    expect(fault.message).toContain(path);
  });

  test("never repeats a value, which may be a password", () => {
    const fault = faultOf({ ...good, cameras: [{ rtsp: { main: "http://u:hunter2@h/" }, password: 7 }] });
    expect(fault.message).not.toContain("hunter2");
  });

  test("reads passwords from files and makes paths absolute", async () => {
    await writeFile(join(folder, "pw"), "secret\n");
    const camera = { onvif: "http://h/onvif/device_service", username: "u", passwordFile: "pw" };
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...good, cameras: [camera] }));
    const config = await loadConfig(join(folder, "config.json"));
    expect(config.cameras[0]?.password).toBe("secret");
    expect(config.stateDir).toBe(join(folder, "state"));
  });

  test("takes acknowledgement and authority from the environment, over the file", () => {
    const config = parseConfig({ ...good, acknowledgement: "puback", mqttCaFile: "ca.pem" });
    expect(withEnvironment(config, {})).toEqual(config);
    const env = { HUISHI_MQTT_ACK: "application", HUISHI_MQTT_CA: "/etc/ca.pem" };
    expect(withEnvironment(config, env)).toMatchObject({
      acknowledgement: "application",
      mqttCaFile: "/etc/ca.pem",
    });
    expect(() => withEnvironment(config, { HUISHI_MQTT_ACK: "both" })).toThrow("HUISHI_MQTT_ACK");
  });

  test("opens no status page to the network without a token, and none with a short one", async () => {
    const load = async (statusPage: object) => {
      await writeFile(join(folder, "page.json"), JSON.stringify({ ...good, statusPage }));
      return loadConfig(join(folder, "page.json"));
    };
    await writeFile(join(folder, "status.token"), "token-of-the-page\n");
    await expect(load({ address: "0.0.0.0", port: 1 })).rejects.toMatchObject({ code: "STATUS_PAGE_OPEN" });
    await expect(load({ port: 1, password: "short" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    const { statusPage } = await load({ address: "0.0.0.0", port: 1, passwordFile: "status.token" });
    expect(statusPage).toMatchObject({ password: "token-of-the-page" });
    expect((await load({ port: 1 })).statusPage).toEqual({ port: 1 });
  });

  test("says when the file is missing or no JSON", async () => {
    await writeFile(join(folder, "broken.json"), "{");
    await expect(loadConfig(join(folder, "none.json"))).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await expect(loadConfig(join(folder, "broken.json"))).rejects.toThrow("not valid JSON");
  });
});
