import { createServer, type IncomingMessage, request as httpRequest } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { calmState } from "../../test-support/calm-state.ts";
import { isOwnHost, StatusPage, type StatusPageOptions } from "./status-page.ts";

describe("the status page's server", () => {
  let stop = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  let looks = 0;
  afterEach(async () => {
    stop.abort();
    await ended;
  });

  const start = async (options: Partial<StatusPageOptions> = {}): Promise<number> => {
    stop = new AbortController();
    looks = 0;
    return new Promise((resolve, reject) => {
      ended = new StatusPage({
        address: "127.0.0.1",
        port: 0,
        token: null,
        state: async () => {
          looks += 1;
          return calmState();
        },
        metrics: async () => "huishi_edge_up_seconds 1\n",
        onListening: resolve,
        ...options,
      }).run(stop.signal);
      ended.catch(reject);
    });
  };
  const ask = async (port: number, path: string, options: { method?: string; headers?: object } = {}) => {
    const asked = httpRequest({ host: "127.0.0.1", port, path, method: "GET", ...options } as object);
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode, headers: response.headers, body };
  };

  test("serves page, script, style, state and metrics, and allows nothing inline", async () => {
    const port = await start();
    for (const path of ["/", "/page.js", "/texts.js", "/page.css", "/status.json", "/metrics"]) {
      const { status, headers, body } = await ask(port, path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'/);
      expect(headers["content-security-policy"]).not.toContain("unsafe");
      expect(body).not.toBe("");
    }
    expect(JSON.parse((await ask(port, "/status.json")).body)).toMatchObject({
      identity: { agentId: "agent-1" },
    });
    expect(await ask(port, "/../status-page.ts")).toMatchObject({ status: 404 });
  });

  test("answers many questions at once with one look at the agent", async () => {
    const port = await start();
    await Promise.all(Array.from({ length: 20 }, () => ask(port, "/status.json")));
    expect(looks).toBe(1);
  });

  test("a foreign name that points here is refused, and nothing can be written", async () => {
    const port = await start();
    expect(await ask(port, "/status.json", { headers: { host: "evil.example" } })).toMatchObject({
      status: 421,
    });
    expect(await ask(port, "/", { method: "POST" })).toMatchObject({ status: 405 });
    expect(["[::1]:80", "192.168.1.4", "localhost:1"].map((host) => isOwnHost(host, "127.0.0.1"))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["", undefined, "127.0.0.1.evil.example"].map((host) => isOwnHost(host, "127.0.0.1"))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("with a token it tells nothing without it, by either way of giving it", async () => {
    const port = await start({ token: "token-of-the-page" });
    const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString("base64")}`;
    const status = async (authorization?: string) =>
      (await ask(port, "/status.json", { headers: authorization === undefined ? {} : { authorization } }))
        .status;
    expect(await status()).toBe(401);
    expect(await status(basic("wrong"))).toBe(401);
    expect(await status("Bearer wrong")).toBe(401);
    expect(await status(basic("token-of-the-page"))).toBe(200);
    expect(await status("Bearer token-of-the-page")).toBe(200);
    expect((await ask(port, "/page.js")).status).toBe(401);
  });

  test("a port that is taken is told by a code of its own", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({ code: "STATUS_PAGE_FAILED" });
    ended = Promise.resolve();
    other.close();
  });
});
