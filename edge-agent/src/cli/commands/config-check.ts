import { loadConfig, withEnvironment } from "../../config.ts";
import type { Terminal } from "../terminal.ts";

/** @throws EdgeError CONFIG_INVALID that names the wrong field by its path, never its value */
export async function checkConfig(terminal: Terminal): Promise<number> {
  withEnvironment(await loadConfig(terminal.configFile), process.env);
  terminal.print(terminal.isJson ? JSON.stringify({ ok: true }) : terminal.texts.configGood);
  return 0;
}
