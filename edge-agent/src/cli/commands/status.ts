import { messageOf } from "@huishi/kernel";
import { type IncomingMessage, request } from "node:http";
import { once } from "node:events";
import { loadConfig, withEnvironment } from "../../config.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { AgentState } from "../../application/agent-state.ts";
import { statusPageOf } from "../../status-page-config.ts";
import { statusLines } from "../status-lines.ts";
import { plainText, type Terminal } from "../terminal.ts";

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What the running agent says of itself, by its status page; 1 when it does not run or something is wrong. */
export async function status(terminal: Terminal): Promise<number> {
  const { texts, isJson } = terminal;
  const config = withEnvironment(await loadConfig(terminal.configFile), process.env);
  const page = statusPageOf(config.statusPage);
  if (page === null) throw new EdgeError("STATUS_UNAVAILABLE", texts.noPage);
  const at = { ...page, address: reachable(page.address) };
  let answer: { status: number; body: string };
  try {
    answer = await read(at, terminal.signal);
  } catch (error) {
    terminal.signal.throwIfAborted();
    const said = `${texts.notRunning} ${at.address}:${at.port}`;
    if (isJson) terminal.print(JSON.stringify({ running: false, code: "STATUS_UNAVAILABLE" }));
    else terminal.print(plainText(`${said} (${messageOf(error)})`));
    return 1;
  }
  if (answer.status === 401) throw new EdgeError("STATUS_UNAVAILABLE", texts.tokenRefused);
  const state = stateOf(answer.body);
  if (answer.status !== 200 || state === null) throw new EdgeError("STATUS_UNAVAILABLE", texts.notAnAgent);
  const { lines, isGood } = statusLines(state, texts);
  if (isJson) terminal.print(JSON.stringify({ running: true, ...state }));
  else for (const line of lines) terminal.print(plainText(line));
  return isGood ? 0 : 1;
}

/** A page on all addresses is on loopback, too. */
function reachable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

async function read(
  {
    address,
    port,
    token,
  }: { readonly address: string; readonly port: number; readonly token: string | null },
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const asked = request({
    host: address,
    port,
    path: "/status.json",
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    agent: false,
  });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") };
}

function stateOf(body: string): AgentState | null {
  try {
    const state = JSON.parse(body) as Partial<AgentState> | null;
    return state?.v === 1 && Array.isArray(state.cameras) ? (state as AgentState) : null;
  } catch {
    return null;
  }
}
