import { type AgentConfig, AgentConfigSchema } from "@huishi/contracts";
import { join } from "node:path";
import { Check } from "typebox/value";
import type { ConfigurationStore } from "../../application/configuration.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

/** The last configuration that was applied, in `config.json` (mode 0600) of the state folder. */
export class ConfigurationFile implements ConfigurationStore {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "config.json");
  }

  /** null when there is none that can be used: the centre sends it again. */
  async load(): Promise<AgentConfig | null> {
    const content = await readJsonFile(this.#file);
    return Check(AgentConfigSchema, content) ? content : null;
  }

  async save(config: AgentConfig): Promise<void> {
    await writeJsonFile(this.#file, config);
  }
}
