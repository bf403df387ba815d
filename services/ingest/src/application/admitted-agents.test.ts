import { until } from "@huishi/testkit";
import { afterEach, expect, test } from "vitest";
import { AdmittedAgents } from "./admitted-agents.ts";

/** A directory whose answers the test sets. */
class Directory {
  readonly known = new Set<string>();
  questions = 0;
  isAway = false;
  revokedAmong(agentIds: readonly string[]): Promise<string[]> {
    this.questions += 1;
    if (this.isAway) return Promise.reject(new Error("away"));
    return Promise.resolve(agentIds.filter((agentId) => !this.known.has(agentId)));
  }
}

let admitted: AdmittedAgents;
afterEach(() => admitted.close());
const make = (directory: Directory, checkMs: number, revoked: string[] = []): AdmittedAgents =>
  (admitted = new AdmittedAgents({
    revokedAmong: (agentIds) => directory.revokedAmong(agentIds),
    onRevoked: (agentId) => revoked.push(agentId),
    onFault: () => {},
    checkMs,
  }));

test("an agent is asked for once, however many of its messages wait for the answer", async () => {
  const directory = new Directory();
  directory.known.add("a");
  const agents = make(directory, 3_600_000);
  expect(await Promise.all([1, 2, 3].map(() => agents.isAdmitted("a")))).toEqual([true, true, true]);
  expect(await agents.isAdmitted("b")).toBe(false);
  expect([agents.peek("a"), agents.peek("b"), agents.peek("c")]).toEqual([true, false, undefined]);
  expect(directory.questions).toBe(3);
});

test("the answer is waited for while the directory is away", async () => {
  const directory = new Directory();
  directory.isAway = true;
  const agents = make(directory, 3_600_000);
  const answer = agents.isAdmitted("a");
  await until("a second attempt", () => directory.questions >= 2);
  directory.known.add("a");
  directory.isAway = false;
  expect(await answer).toBe(true);
});

test("a revoked agent is noticed, and one that was unknown is asked for again", async () => {
  const directory = new Directory();
  directory.known.add("a");
  const revoked: string[] = [];
  const agents = make(directory, 20, revoked);
  expect([await agents.isAdmitted("a"), await agents.isAdmitted("new")]).toEqual([true, false]);
  directory.known.delete("a");
  directory.known.add("new");
  await until("the revocation", () => revoked.length > 0);
  expect(revoked).toEqual(["a"]);
  await until("the new one", () => agents.isAdmitted("new"));
});
