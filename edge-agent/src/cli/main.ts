#!/usr/bin/env node
// The installer's commands. Faults are one line with a code: no stack traces, no secrets.
import { HuishiError } from "@huishi/kernel";
import { redactUrls } from "@huishi/platform";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { checkConfig } from "./commands/config-check.ts";
import { claim } from "./commands/claim.ts";
import { doctor } from "./commands/doctor.ts";
import { logs } from "./commands/logs.ts";
import { scan } from "./commands/scan.ts";
import { status } from "./commands/status.ts";
import { isLogLevel } from "./log-lines.ts";
import { type Command, plainText, type Terminal } from "./terminal.ts";
import { languageOf, textsOf } from "./texts.ts";
import { VERSION } from "../version.ts";

const DEFAULT_CONFIG = "/etc/huishi-edge/config.json";
const COMMANDS: Readonly<Record<string, Command>> = {
  scan,
  claim,
  doctor,
  status,
  logs,
  "config check": checkConfig,
};

const language = languageOf(process.env);
const texts = textsOf(language);
const stop = new AbortController();

async function run(): Promise<number> {
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort(new Error(name)));
  const read = readArguments();
  const name = read?.positionals.join(" ") ?? "";
  if (read !== null && (name === "help" || read.values.help === true)) return say(texts.usage);
  if (name === "version") return say(VERSION);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const isLevelKnown = read?.values.level === undefined || isLogLevel(read.values.level);
  if (read === null || command === undefined || !isLevelKnown) {
    process.stderr.write(`${texts.unknownCommand}\n\n${texts.usage}\n`);
    return 2;
  }
  return command(terminalOf(read.values));
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        config: { type: "string" },
        interface: { type: "string" },
        json: { type: "boolean" },
        follow: { type: "boolean", short: "f" },
        level: { type: "string" },
        camera: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch {
    return null;
  }
}

function terminalOf(values: NonNullable<ReturnType<typeof readArguments>>["values"]): Terminal {
  const { level = "", camera } = values;
  return {
    language,
    texts,
    isJson: values.json ?? false,
    configFile: values.config ?? (process.env["HUISHI_EDGE_CONFIG"] || DEFAULT_CONFIG),
    interfaceAddress: values.interface,
    logs: {
      isFollowed: values.follow ?? false,
      level: isLogLevel(level) ? level : "info",
      cameraId: camera,
    },
    signal: stop.signal,
    print: say,
    tell: (text) => void process.stderr.write(text),
    async readLine() {
      const lines = createInterface({ input: process.stdin });
      try {
        for await (const line of lines) return line.trim().slice(0, 256);
        return "";
      } finally {
        lines.close();
      }
    },
  };
}

function say(line: string): 0 {
  process.stdout.write(`${line}\n`);
  return 0;
}

run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const isOurs = error instanceof HuishiError;
    const line = isOurs ? `${error.code}: ${error.message}` : `INTERNAL: ${texts.internal}`;
    process.stderr.write(`${plainText(redactUrls(stop.signal.aborted ? "-" : line))}\n`);
    process.exit(1);
  },
);
