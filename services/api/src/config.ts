import { HuishiError } from "@huishi/kernel";
import type { TlsFilePaths } from "./tls.ts";

export interface ApiConfig {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly dashboardDir: string;
  readonly mqttUrl: string;
  readonly clipsDir?: string;
  readonly publicOrigin: string | null;
  readonly trustedProxies: readonly string[];
  readonly tls: TlsFilePaths | null;
}

/**
 * Reads the service's configuration from environment variables: DATABASE_URL (required), HUISHI_API_HOST,
 * HUISHI_API_PORT, HUISHI_DASHBOARD_DIR, HUISHI_MQTT_URL, HUISHI_PUBLIC_ORIGIN, HUISHI_TRUSTED_PROXIES, HUISHI_TLS_KEY,
 * HUISHI_TLS_CERT, HUISHI_TLS_CA.
 *
 * @throws HuishiError CONFIG_INVALID naming the variable
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  dashboardDir: string,
): ApiConfig {
  const databaseUrl = env["DATABASE_URL"];
  if (!databaseUrl) throw invalid("DATABASE_URL", "set it to postgres://user:password@host:5432/database");
  const port = Number(env["HUISHI_API_PORT"] ?? "8080");
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw invalid("HUISHI_API_PORT", "give a port 0-65535");
  const publicOrigin = env["HUISHI_PUBLIC_ORIGIN"] ?? null;
  if (publicOrigin !== null && !/^https?:\/\/[^/]+$/.test(publicOrigin)) {
    throw invalid("HUISHI_PUBLIC_ORIGIN", "give scheme and host only, e.g. https://wall.example");
  }
  return {
    databaseUrl,
    host: env["HUISHI_API_HOST"] ?? "127.0.0.1",
    port,
    dashboardDir: env["HUISHI_DASHBOARD_DIR"] ?? dashboardDir,
    mqttUrl: env["HUISHI_MQTT_URL"] ?? "mqtt://127.0.0.1:1883",
    ...(env["HUISHI_CLIPS_DIR"] ? { clipsDir: env["HUISHI_CLIPS_DIR"] } : {}),
    publicOrigin,
    trustedProxies: (env["HUISHI_TRUSTED_PROXIES"] ?? "").split(",").filter((address) => address !== ""),
    tls: readTlsPaths(env, publicOrigin),
  };
}

/** HTTPS in this process: key and certificate, and the authority that claim texts name where it is one of our own. */
function readTlsPaths(
  env: Readonly<Record<string, string | undefined>>,
  publicOrigin: string | null,
): TlsFilePaths | null {
  const { HUISHI_TLS_KEY: keyFile, HUISHI_TLS_CERT: certFile, HUISHI_TLS_CA: caFile } = env;
  if (!keyFile && !certFile) return null;
  if (!keyFile) throw invalid("HUISHI_TLS_KEY", "give the key of HUISHI_TLS_CERT");
  if (!certFile) throw invalid("HUISHI_TLS_CERT", "give the certificate of HUISHI_TLS_KEY");
  const isHttps = publicOrigin?.startsWith("https:") ?? false;
  return {
    keyFile,
    certFile,
    ...(caFile ? { caFile } : {}),
    ...(publicOrigin !== null && isHttps ? { host: new URL(publicOrigin).host } : {}),
  };
}

function invalid(name: string, advice: string): HuishiError {
  return new HuishiError("CONFIG_INVALID", `${name} is missing or wrong: ${advice}.`, { details: { name } });
}
