import { HuishiError } from "@huishi/kernel";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

/** What `npm start -- ...` was asked for. */
export interface StandaloneOptions {
  readonly stateDir: string;
  readonly httpPort: number;
  /** null: 1883, or any free port where that is taken. */
  readonly mqttPort: number | null;
  readonly videos: readonly string[];
  readonly cameras: readonly RealCamera[];
  /** Play the generated scene where nothing else is played. */
  readonly generatedScene: boolean;
  /** null: the embedded database. */
  readonly databaseUrl: string | null;
}

export interface RealCamera {
  /** RTSP URL without credentials. */
  readonly rtspUrl: string;
  readonly username?: string;
  readonly password?: string;
}

const invalid = (message: string): HuishiError =>
  new HuishiError("OPTION_INVALID", `${message} 'npm start -- --help' lists the options.`);

/**
 * Reads the command line and the environment. Paths are resolved against `cwd`.
 *
 * @throws HuishiError OPTION_INVALID with the option and what it should be.
 */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): StandaloneOptions {
  const { values, positionals } = readArgs(args);
  if (positionals.length > 0 && values.video === undefined) {
    throw invalid(
      `'${positionals[0]}' is not an option. To play a video file write: --video ${positionals[0]}`,
    );
  }
  return {
    stateDir: resolve(cwd, values.state ?? env["HUISHI_STATE"] ?? "var"),
    httpPort: portOf("--port", values.port) ?? 8080,
    mqttPort: portOf("--mqtt-port", values["mqtt-port"]),
    videos: [...(values.video ?? []), ...positionals].map((file) => resolve(cwd, file)),
    cameras: (values.camera ?? []).map((text) => realCamera(text, env)),
    generatedScene: values.generated ?? false,
    databaseUrl: env["DATABASE_URL"] ?? null,
  };
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        video: { type: "string", multiple: true },
        camera: { type: "string", multiple: true },
        generated: { type: "boolean" },
        port: { type: "string" },
        "mqtt-port": { type: "string" },
        state: { type: "string" },
      },
    });
  } catch (error) {
    throw invalid(`${(error as Error).message}.`);
  }
}

function portOf(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw invalid(`${option} must be a port number from 1 to 65535, not '${text}'.`);
  return port;
}

function realCamera(text: string, env: Readonly<Record<string, string | undefined>>): RealCamera {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["rtsp:", "rtsps:"].includes(url.protocol) || url.hostname === "") {
    throw invalid("--camera must be an address like rtsp://192.0.2.10:554/stream1.");
  }
  const username = decodeURIComponent(url.username) || env["HUISHI_CAMERA_USER"];
  const password = decodeURIComponent(url.password) || env["HUISHI_CAMERA_PASSWORD"];
  url.username = "";
  url.password = "";
  return {
    rtspUrl: url.href,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}
