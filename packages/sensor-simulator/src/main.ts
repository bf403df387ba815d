#!/usr/bin/env node
/** Plays a scripted scene as a sensor from the command line. `--help` says how. */
import { parseArgs } from "node:util";
import { messageOf, systemClock } from "@huishi/kernel";
import { ModbusSimulator } from "./modbus-server.ts";
import { play } from "./play.ts";
import { SCENES, type Scene, type SceneName } from "./scene.ts";
import { httpSender, mqttSender, type Sender } from "./senders.ts";

const HELP = `Plays a scripted scene as a sensor. It is a simulation and no measurement.

  node dist/main.js --scene NAME (--mqtt URL --topic TOPIC | --http URL | --modbus PORT) [--interval MS]

  --scene NAME     ${Object.keys(SCENES).join(", ")}
  --mqtt URL       publish to this broker (mqtt://127.0.0.1:1883), on --topic
  --http URL       post to this address (http://127.0.0.1:8883/sensors/ID)
  --modbus PORT    serve input registers on 127.0.0.1: each channel's value times 100 (int16), in the scene's order
  --username NAME  of the MQTT account; its password, or the HTTP token, is read from SENSOR_PASSWORD
  --interval MS    between two messages (default 1000)
`;

const OPTIONS = {
  scene: { type: "string" },
  mqtt: { type: "string" },
  topic: { type: "string" },
  http: { type: "string" },
  modbus: { type: "string" },
  username: { type: "string" },
  interval: { type: "string", default: "1000" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function senderOf(values: Values): Promise<Sender | null> {
  const password = process.env["SENSOR_PASSWORD"];
  if (values.mqtt !== undefined && values.topic !== undefined) {
    const { mqtt: url, topic, username } = values;
    return mqttSender({
      url,
      topic,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
  }
  if (values.http !== undefined) {
    return httpSender({ url: values.http, ...(password === undefined ? {} : { token: password }) });
  }
  return values.modbus === undefined ? null : modbusSender(Number(values.modbus));
}

async function modbusSender(port: number): Promise<Sender> {
  const server = await ModbusSimulator.start("127.0.0.1", port);
  process.stdout.write(`Modbus TCP on 127.0.0.1:${server.port}\n`);
  return {
    send: (channels) => {
      Object.values(channels).forEach((value, address) => server.setInput(address, Math.round(value * 100)));
      return Promise.resolve();
    },
    close: () => server.stop(),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const scene: Scene | undefined = SCENES[values.scene as SceneName];
  const intervalMs = Number(values.interval);
  const sender = values.help || !scene || !(intervalMs >= 10) ? null : await senderOf(values);
  if (!sender || !scene) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  const onFailure = (error: unknown): void => void process.stderr.write(`${messageOf(error)}\n`);
  await play({ scene, sender, intervalMs, clock: systemClock, onFailure }, stop.signal);
  await sender.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
