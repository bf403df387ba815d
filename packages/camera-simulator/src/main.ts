#!/usr/bin/env node
/** Plays files as cameras from the command line. `--help` says how. */
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { HuishiError, messageOf } from "@huishi/kernel";
import { CameraSimulator } from "./camera-simulator.ts";
import { SimulatorError } from "./errors.ts";
import type { CameraOptions, SourceOptions } from "./types.ts";

const HELP = `Plays video as ONVIF/RTSP cameras.

  node dist/main.js [--video FILE]... [--clock] [--generated] [options]

  --video FILE            play a video file; may be repeated
  --clock                 play a live test picture with the time as a barcode
  --generated             play a drawn street
  --host ADDRESS          listen here (default 127.0.0.1)
  --port PORT             first port: ONVIF on it, RTSP on the next; the next camera two further (default: any)
  --username NAME         ask clients to sign in
  --password-file FILE    holds the password, one line; the variable SIMULATOR_PASSWORD does as well
  --discovery             answer WS-Discovery on the interface of --host
  --cache FOLDER          where converted files are kept
`;

function readArguments(): {
  sources: Array<{ name: string; source: SourceOptions }>;
  values: ReturnType<typeof parse>["values"];
} {
  const { values } = parse();
  const sources: Array<{ name: string; source: SourceOptions }> = (values.video ?? []).map((path) => ({
    name: basename(path, extname(path)),
    source: { kind: "file", path },
  }));
  if (values.clock) sources.push({ name: "clock", source: { kind: "clock" } });
  if (values.generated) sources.push({ name: "street", source: { kind: "generated" } });
  return { sources, values };
}

function parse() {
  return parseArgs({
    options: {
      video: { type: "string", multiple: true },
      clock: { type: "boolean" },
      generated: { type: "boolean" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "0" },
      username: { type: "string" },
      "password-file": { type: "string" },
      discovery: { type: "boolean", default: false },
      cache: { type: "string", default: join(tmpdir(), "huishi-simulator") },
      help: { type: "boolean", short: "h" },
    },
  });
}

/** The password comes from a file or the environment: arguments are visible to every process. */
async function readPassword(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env["SIMULATOR_PASSWORD"];
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SimulatorError(
      "SIMULATOR_OPTIONS_INVALID",
      `the password file cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  });
  return text.split(/\r?\n/)[0];
}

async function main(): Promise<void> {
  const { sources, values } = readArguments();
  if (values.help || sources.length === 0) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const firstPort = Number(values.port);
  if (!Number.isInteger(firstPort) || firstPort < 0 || firstPort > 65_000)
    throw new SimulatorError("SIMULATOR_OPTIONS_INVALID", "--port must be a number from 0 to 65000");
  const password = await readPassword(values["password-file"]);
  const account =
    values.username === undefined ? {} : { username: values.username, password: password ?? "" };
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => stop.abort(new Error("stopped")));
  const simulator = new CameraSimulator({
    cacheDir: values.cache,
    log: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  });
  try {
    for (const [index, { name, source }] of sources.entries()) {
      const ports =
        firstPort === 0 ? {} : { onvifPort: firstPort + index * 2, rtspPort: firstPort + index * 2 + 1 };
      const options: CameraOptions = {
        name,
        source,
        host: values.host,
        discovery: values.discovery,
        ...account,
        ...ports,
      };
      const camera = await simulator.start(options, stop.signal);
      process.stdout.write(
        `${camera.name}: ${camera.onvifUrl} ${camera.rtspMainUrl} ${camera.rtspSubUrl} ${camera.snapshotUrl}\n`,
      );
    }
    if (!stop.signal.aborted)
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
  } finally {
    await simulator.stop();
  }
}

main().catch((error: unknown) => {
  if (error instanceof Error && error.message === "stopped") return;
  const isUsage =
    error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  const line = error instanceof HuishiError ? `${error.code}: ${error.message}` : messageOf(error);
  process.stderr.write(`${line}\n`);
  process.exitCode = isUsage ? 2 : 1;
});
