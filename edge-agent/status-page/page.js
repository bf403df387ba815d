// Reads the agent's state every two seconds and shows it. Names come from devices: they are set as text, never as markup.
import { TEXTS } from "./texts.js";

const POLL_MS = 2_000;
const POLL_TIMEOUT_MS = 5_000;
/** A value older than this shows its age. */
const OLD_MS = 5_000;

const content = document.getElementById("content");
const banner = document.getElementById("banner");
const page = {
  language: chosenLanguage(),
  state: null,
  /** performance.now() when the state came. */
  cameAt: 0,
  isLost: false,
  refusal: null,
};

function chosenLanguage() {
  try {
    const kept = localStorage.getItem("language");
    if (kept === "zh" || kept === "en") return kept;
  } catch {
    // A browser that keeps nothing.
  }
  return /^zh\b/i.test(navigator.language) ? "zh" : "en";
}

function say(name, values = {}) {
  const text = TEXTS[page.language][name] ?? name.replace(/^[a-z]+_/, "");
  return text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
}

/** The agent's clock now, as far as it is known here. */
const agentNow = () => page.state.atMs + (performance.now() - page.cameAt);

function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return say("second", { n: s });
  if (s < 7_200) return say("minute", { n: Math.round(s / 60) });
  if (s < 172_800) return say("hour", { n: Math.round(s / 3_600) });
  return say("day", { n: Math.round(s / 86_400) });
}

/** Of something that is past: it grows whether the agent answers or not. */
const age = (atMs) => span(agentNow() - atMs);

/** The time up to which the agent's word holds: what it said last is not known to go on. */
const knownUntil = () => (page.isLost ? page.state.atMs : agentNow());

const held = (sinceMs) => say("since", { age: span(knownUntil() - sinceMs) });

function number(value, digits = 0) {
  return new Intl.NumberFormat(page.language === "zh" ? "zh-CN" : "en", {
    maximumFractionDigits: digits,
  }).format(value);
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = value;
  for (; rest >= 1024 && unit < units.length - 1; unit++) rest /= 1024;
  return `${number(rest, rest < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

const bitRate = (value) =>
  value >= 1e6 ? `${number(value / 1e6, 1)} Mbit/s` : `${number(value / 1e3)} kbit/s`;

/** @param children texts and elements: texts become text nodes */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function section(id, title, ...children) {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title),
    ...children,
  );
}

/** @param rows [label, text or element, is it wrong?] */
function facts(rows) {
  const list = element("dl", {});
  for (const [label, value, isWrong = false] of rows) {
    if (value === null) continue;
    list.append(
      element("div", isWrong ? { class: "wrong" } : {}, element("dt", {}, label), element("dd", {}, value)),
    );
  }
  return list;
}

const hint = (text) => element("p", { class: "hint" }, text);

function centre({ centre: link }) {
  const connection = `${say(link.isConnected ? "connected" : "notConnected")}, ${held(link.sinceMs)}`;
  const queued =
    link.mediaQueuedBytes > 0 ? `, ${say("waiting", { bytes: bytes(link.mediaQueuedBytes) })}` : "";
  return section(
    "centre",
    say("centre"),
    facts([
      [say("address"), link.address],
      [say("connection"), connection, !link.isConnected],
      [
        say("media"),
        say(link.isMediaConnected ? "connected" : "notConnected") + queued,
        !link.isMediaConnected,
      ],
    ]),
  );
}

function stream({ profiles, lastPictureAtMs, fps, bitsPerSecond, consumers }) {
  const isOld = lastPictureAtMs === null || agentNow() - lastPictureAtMs > OLD_MS;
  const measured = [
    fps === null ? null : `${number(fps, 1)} fps`,
    bitsPerSecond === null ? null : bitRate(bitsPerSecond),
  ].filter(Boolean);
  const seen =
    lastPictureAtMs === null ? say("noPicture") : say("lastPicture", { age: age(lastPictureAtMs) });
  const users = [...new Set(consumers)].map((purpose) => say(`purpose_${purpose}`)).join(", ");
  const told = [measured.join(", "), isOld ? seen : null, users && `${say("users")} ${users}`].filter(
    Boolean,
  );
  return [profiles.join(" + ") || "-", told.join(" · "), isOld];
}

function clockRow({ clockOffsetMs }) {
  if (clockOffsetMs === null) return [say("clock"), null];
  const off = Math.abs(clockOffsetMs);
  if (off < 2_000) return [say("clock"), say("clockSame")];
  const direction = say(clockOffsetMs > 0 ? "ahead" : "behind");
  return [say("clock"), say("clockOff", { time: span(off), direction })];
}

function camera(each) {
  const condition = each.condition ?? "unknown";
  const isWrong = condition !== "online" && condition !== "unknown";
  const faults = (each.faults ?? []).map(
    ({ fault, sinceMs }) => `${say(`fault_${fault}`)} (${held(sinceMs)})`,
  );
  const said = [say(`condition_${condition}`), each.code, ...faults].filter(Boolean).join(" · ");
  const since = each.sinceMs === null ? "" : `, ${held(each.sinceMs)}`;
  const offers = each.offered.map(
    ({ profile, codec, width, height }) => `${profile} ${codec} ${width}×${height}`,
  );
  return element(
    "article",
    { class: isWrong ? "camera wrong" : "camera", "data-camera": each.id ?? "" },
    element("h3", {}, each.name ?? each.id ?? each.address),
    facts([
      [say("id"), each.id],
      [say("address"), each.address],
      [say("state"), said + since, isWrong],
      [say("offers"), offers.join(", ") || null],
      ...(each.streams.length === 0 ? [[say("pictures"), say("noStream")]] : each.streams.map(stream)),
      clockRow(each),
      [say("dropped"), each.dropped > 0 ? say("droppedPictures", { count: number(each.dropped) }) : null],
    ]),
  );
}

function cameras({ cameras: all }) {
  const shown = all.length === 0 ? [hint(say("noCameras"))] : all.map(camera);
  return section(
    "cameras",
    `${say("cameras")} (${number(all.length)})`,
    element("div", { class: "cards" }, ...shown),
  );
}

function recording({ recording: ring }) {
  if (!ring) return section("recording", say("recording"), hint(say("noRecording")));
  const { bytes: used, maxBytes, oldestMs, expectedMs, shortfallMs = 0 } = ring;
  return section(
    "recording",
    say("recording"),
    facts([
      [say("used"), say("of", { a: bytes(used), b: bytes(maxBytes) })],
      [say("oldest"), oldestMs === undefined ? say("noRecording") : say("ago", { age: age(oldestMs) })],
      [say("enough"), expectedMs === undefined ? null : span(expectedMs)],
      [say("shortfall"), shortfallMs > 0 ? span(shortfallMs) : null, true],
    ]),
  );
}

function outbox({ outbox: box }) {
  const oldest =
    box.oldestAtMs === null ? "" : ` (${say("oldest")}: ${say("ago", { age: age(box.oldestAtMs) })})`;
  return section(
    "outbox",
    say("outbox"),
    facts([
      [say("waitingEvents"), box.depth === 0 ? say("nothingWaits") : number(box.depth) + oldest],
      [say("size"), bytes(box.bytes)],
      [say("lostEvents"), number(box.lost), box.lost > 0],
    ]),
  );
}

const isSensorWrong = ({ condition }) => condition !== null && condition !== "online";

function sensors({ sensors: all }) {
  if (!all || all.conditions.length === 0) return section("sensors", say("sensors"), hint(say("noSensors")));
  const { messages, refused } = all.totals;
  const count =
    number(messages) + (refused > 0 ? `, ${say("refusedMessages", { count: number(refused) })}` : "");
  return section(
    "sensors",
    `${say("sensors")} (${number(all.conditions.length)})`,
    facts([
      ...all.conditions.map((each) => [
        each.id,
        [each.condition === null ? say("silent") : say(`condition_${each.condition}`), each.code]
          .filter(Boolean)
          .join(" · "),
        isSensorWrong(each),
      ]),
      [say("messages"), count],
    ]),
  );
}

function found({ found: devices }) {
  if (devices.length === 0) return section("found", say("found"), hint(say("nothingFound")));
  return section(
    "found",
    `${say("found")} (${number(devices.length)})`,
    facts(
      devices.map((device) => [
        device.address,
        [device.name, device.hardware, device.deviceKey, say("ago", { age: age(device.lastSeenAtMs) })]
          .filter(Boolean)
          .join(" · "),
      ]),
    ),
  );
}

function configuration({ configuration: known }) {
  if (!known) return section("configuration", say("configuration"), hint(say("noConfiguration")));
  const isRefused = known.state === "refused";
  const why = [say("configRefused"), known.code, known.message].filter(Boolean).join(" · ");
  return section(
    "configuration",
    say("configuration"),
    facts([
      [say("revision"), number(known.revision)],
      [say("state"), isRefused ? why : say("applied"), isRefused],
    ]),
  );
}

const isFull = ({ freeBytes }) => freeBytes < 256 * 1024 * 1024;

function disks({ disks: all }) {
  const rows = all.map((disk) => {
    const isOld = agentNow() - disk.atMs > 6 * OLD_MS;
    const room = say("free", { a: bytes(disk.freeBytes), b: bytes(disk.totalBytes) });
    return [
      say(`use_${disk.use}`),
      isOld ? `${room} (${say("ago", { age: age(disk.atMs) })})` : room,
      isFull(disk),
    ];
  });
  return section("disks", say("disks"), facts(rows));
}

function agent(state) {
  const { identity, version, uptimeMs, clock, process } = state;
  const shown = new Intl.DateTimeFormat(page.language === "zh" ? "zh-CN" : "en", {
    dateStyle: "short",
    timeStyle: "medium",
  });
  const stepped =
    Math.abs(clock.steppedMs) >= 1_000
      ? ` (${say("stepped", { time: span(Math.abs(clock.steppedMs)) })})`
      : "";
  return section(
    "agent",
    say("agent"),
    facts([
      [say("id"), identity.agentId],
      [say("version"), version],
      [say("keys"), `${identity.signKeyId} · ${identity.sealKeyId}`],
      [say("authority"), identity.authoritySha256 ?? say("systemAuthority")],
      [say("uptime"), span(uptimeMs + knownUntil() - state.atMs)],
      [say("time"), shown.format(knownUntil()) + stepped],
      [say("memory"), bytes(process.residentBytes)],
    ]),
  );
}

/** What is wrong, in words; empty when nothing is. */
function faultsOf(state) {
  const wrong = state.cameras.filter(({ condition }) => condition !== "online" && condition !== null);
  return [
    state.centre.isConnected ? null : `${say("centre")}: ${say("notConnected")}`,
    wrong.length > 0 ? `${say("cameras")}: ${number(wrong.length)}` : null,
    (state.sensors?.conditions ?? []).some(isSensorWrong) ? say("sensors") : null,
    state.configuration?.state === "refused" ? `${say("configuration")}: ${say("configRefused")}` : null,
    (state.recording?.shortfallMs ?? 0) > 0 ? say("recording") : null,
    state.disks.some(isFull) ? say("disks") : null,
  ].filter(Boolean);
}

function showBanner() {
  const { state, isLost, refusal } = page;
  document.body.classList.toggle("stale", isLost && state !== null);
  const faults = state ? faultsOf(state) : [];
  banner.classList.toggle("wrong", isLost || refusal !== null || faults.length > 0);
  if (refusal !== null) banner.textContent = say("refused", { what: refusal });
  else if (state === null) banner.textContent = say(isLost ? "never" : "loading");
  else if (isLost) banner.textContent = say("lost", { age: age(state.atMs) });
  else banner.textContent = faults.length === 0 ? say("good") : say("notGood", { what: faults.join(", ") });
}

function show() {
  document.documentElement.lang = page.language === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  document.getElementById("title").textContent = say("title");
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === page.language));
  showBanner();
  const { state } = page;
  if (state === null) return;
  const parts = [cameras, centre, recording, outbox, sensors, found, configuration, disks, agent];
  content.replaceChildren(...parts.map((part) => part(state)));
}

async function poll() {
  try {
    const response = await fetch("/status.json", {
      cache: "no-store",
      signal: AbortSignal.timeout(POLL_TIMEOUT_MS),
    });
    page.refusal = response.ok ? null : String(response.status);
    if (!response.ok) throw new Error(page.refusal);
    page.state = await response.json();
    page.cameAt = performance.now();
    page.isLost = false;
  } catch {
    page.isLost = true;
  }
  show();
  setTimeout(() => void poll(), POLL_MS);
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    page.language = button.dataset.language;
    try {
      localStorage.setItem("language", page.language);
    } catch {
      // A browser that keeps nothing.
    }
    show();
  });
}
// Ages tick while nothing comes; text that somebody selects is left alone.
setInterval(() => {
  if (document.getSelection()?.isCollapsed ?? true) show();
}, 1_000);
show();
void poll();
