import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { manhole } from "./test-support/sensors.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensor-config-"));
  await writeFile(join(folder, "secret.txt"), "a secret of the site\nnot this\n");
  await writeFile(join(folder, "short.txt"), "admin\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function loaded(part: object): ReturnType<typeof loadConfig> {
  const file = join(folder, "agent.json");
  const config = {
    stateDir: "state",
    serverUrl: "http://centre",
    cameras: [],
    discovery: { enabled: false },
  };
  await writeFile(file, JSON.stringify({ ...config, ...part }));
  return loadConfig(file);
}

test("secrets are read from files beside the configuration", async () => {
  const config = await loaded({
    sensors: [manhole()],
    sensorListeners: {
      mqtt: { address: "10.4.7.2", accounts: [{ username: "sewer", passwordFile: "secret.txt" }] },
      http: { address: "10.4.7.2", passwordFile: "secret.txt" },
      broker: { url: "mqtts://10.4.7.5", username: "huishi", passwordFile: "secret.txt", caFile: "ca.pem" },
    },
  });
  expect(config.sensors).toEqual([manhole()]);
  expect(config.sensorListeners).toMatchObject({
    mqtt: { accounts: [{ username: "sewer", password: "a secret of the site" }] },
    http: { password: "a secret of the site" },
    broker: { password: "a secret of the site", caFile: join(folder, "ca.pem") },
  });
});

test.each([
  ["an account without a password", { mqtt: { accounts: [{ username: "sewer" }] } }, "CONFIG_INVALID"],
  ["a short password", { http: { passwordFile: "short.txt" } }, "CONFIG_INVALID"],
  ["a file that is not there", { http: { passwordFile: "none.txt" } }, "CONFIG_INVALID"],
  ["an account in the broker's URL", { broker: { url: "mqtt://a:b@10.4.7.5" } }, "CONFIG_INVALID"],
  ["MQTT for everybody", { mqtt: { address: "0.0.0.0" } }, "SENSOR_LISTENER_OPEN"],
  ["HTTP for everybody", { http: { address: "::" } }, "SENSOR_LISTENER_OPEN"],
])("%s refuses the configuration and repeats no secret", async (_what, sensorListeners, code) => {
  const refused = await loaded({ sensorListeners }).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code });
  expect((refused as Error).message).not.toMatch(/a:b|"admin"|secret of/);
});

test("a sensor that is wrong refuses the configuration by its code", async () => {
  const datastreams = [{ observedProperty: "tilt", unit: "cubit", pointer: "/tilt" }];
  await expect(loaded({ sensors: [manhole({ datastreams })] })).rejects.toMatchObject({
    code: "UNIT_UNKNOWN",
  });
});
