import { loadConfig, withEnvironment } from "../../config.ts";
import { checksOf } from "../checks/checks.ts";
import { plainText, type Terminal } from "../terminal.ts";

/** Runs every check, one line each; 1 when one failed. A warning alone is no failure. */
export async function doctor(terminal: Terminal): Promise<number> {
  const { texts, language, isJson } = terminal;
  const config = withEnvironment(await loadConfig(terminal.configFile), process.env);
  const findings = [];
  for (const check of checksOf(config)) {
    terminal.signal.throwIfAborted();
    const finding = { check: check.name.en, ...(await check.run(terminal.signal)) };
    findings.push(finding);
    if (isJson) continue;
    const advice = finding.advice === undefined ? "" : ` -> ${finding.advice[language]}`;
    terminal.print(
      plainText(`${texts[finding.level]}  ${check.name[language]}: ${finding.saw[language]}${advice}`),
    );
  }
  if (isJson) terminal.print(JSON.stringify(findings));
  return findings.some(({ level }) => level === "fail") ? 1 : 0;
}
