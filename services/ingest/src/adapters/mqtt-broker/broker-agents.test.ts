import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BrokerAgents } from "./broker-agents.ts";

let gone: string[];
let agents: BrokerAgents;
beforeEach(() => {
  vi.useFakeTimers();
  gone = [];
  agents = new BrokerAgents((agentId) => gone.push(agentId), 1_000);
});
afterEach(() => {
  agents.close();
  vi.useRealTimers();
});

test("after the broker was lost, whoever is not heard of again is gone", () => {
  for (const agentId of ["a", "b", "c"]) agents.online(agentId);
  agents.doubt();
  agents.online("a");
  agents.forget("b");
  vi.advanceTimersByTime(999);
  expect(gone).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(gone).toEqual(["c"]);
});

test("a broker that is lost again and again does not hold anybody online", () => {
  agents.online("a");
  agents.doubt();
  vi.advanceTimersByTime(600);
  agents.doubt();
  vi.advanceTimersByTime(400);
  expect(gone).toEqual(["a"]);
});
