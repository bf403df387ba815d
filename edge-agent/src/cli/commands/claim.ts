import { mkdir } from "node:fs/promises";
import { IdentityFile } from "../../adapters/state-files/identity-file.ts";
import { composeCentre } from "../../compose-centre.ts";
import { loadConfig, withEnvironment } from "../../config.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { Terminal } from "../terminal.ts";

/** What the command finds wrong it tells itself. */
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Claims this agent with a one-time code or a claim text and stores its identity. The code comes by standard input: an argument
 * would stand in the list of processes. A claimed agent is left as it is.
 *
 * @throws EdgeError CONFIG_INVALID, CLAIM_MISSING, CLAIM_REFUSED, SERVER_PIN_MISMATCH, SERVER_PLAIN_REFUSED, STATE_DIR
 */
export async function claim(terminal: Terminal): Promise<number> {
  const { texts } = terminal;
  const config = withEnvironment(await loadConfig(terminal.configFile), process.env);
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new EdgeError("STATE_DIR", `the folder ${config.stateDir} cannot be made`, { cause });
  });
  const store = new IdentityFile(config.stateDir);
  const stored = await store.load();
  if (stored === null) {
    terminal.tell(texts.askCode);
    const code = (await terminal.readLine()) || config.claimCode;
    if (code === undefined) throw new EdgeError("CLAIM_MISSING", "no claim code was given");
    const { identity } = await composeCentre({
      ...config,
      claimCode: code,
      log: SILENT,
      signal: terminal.signal,
    });
    report(terminal, identity.agentId, true);
  } else report(terminal, stored.agentId, false);
  return 0;
}

function report(terminal: Terminal, agentId: string, isNew: boolean): void {
  const { texts, isJson } = terminal;
  const said = `${isNew ? texts.claimed : texts.alreadyClaimed} ${agentId}`;
  terminal.print(isJson ? JSON.stringify({ agentId, isNew }) : said);
}
