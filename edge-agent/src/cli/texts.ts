// What the commands say, in both languages.
export type Language = "zh" | "en";

/** Chinese where the environment asks for it (LC_ALL before LC_MESSAGES before LANG), else English. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  return /^zh/i.test(env["LC_ALL"] || env["LC_MESSAGES"] || env["LANG"] || "") ? "zh" : "en";
}

const ENGLISH = {
  usage: `huishi-edge COMMAND [--config FILE] [--json]

  scan           look for ONVIF cameras on the local network (--interface ADDRESS); signs in nowhere
  claim          claim this agent; the one-time code is read from standard input
  status         what the running agent says of itself
  logs           the last lines of its log (--follow, --level warn, --camera ID)
  doctor         check folder, disk, clock, names, centre, ffmpeg, multicast and cameras
  config check   check the configuration file
  version, help

The configuration is --config FILE, else $HUISHI_EDGE_CONFIG, else /etc/huishi-edge/config.json.
Exit: 0 in order, 1 something failed, 2 wrong usage.`,
  unknownCommand: "unknown command or option",
  scanning: "Looking for cameras for about 5 s ...",
  nothingFound:
    "No camera answered. Check power and cabling; a camera on another network segment does not hear the probe.",
  found: "devices answered",
  askCode: "Claim code (then Enter): ",
  claimed: "Claimed. Agent id:",
  alreadyClaimed: "Already claimed; nothing was changed. Agent id:",
  configGood: "The configuration is in order.",
  internal: "unexpected fault; report it with the agent's log",
  notRunning: "The agent does not run: nothing answers at",
  noPage: "this agent has no status page: add `statusPage` to its configuration",
  notAnAgent: "something else answers there",
  tokenRefused: "the status page refuses the token of this configuration",
  noLogs: "There is no log yet in",
  centre: "centre",
  connected: "connected",
  notConnected: "NOT CONNECTED",
  since: "for",
  events: "events waiting",
  lost: "given up",
  cameras: "cameras",
  noCameras: "no camera yet",
  recording: "recordings",
  shortfall: "falls short by",
  sensors: "sensors",
  configuration: "configuration",
  applied: "applied",
  refused: "REFUSED",
  none: "none",
  free: "free",
  disk: "disk",
  lastPicture: "last picture",
  ago: "ago",
  running: "running for",
  version: "version",
  agent: "agent",
  ok: "ok  ",
  warn: "warn",
  fail: "FAIL",
} as const;
export type Texts = Readonly<Record<keyof typeof ENGLISH, string>>;

const CHINESE: Texts = {
  usage: `huishi-edge 命令 [--config 文件] [--json]

  scan           在本地网络中查找 ONVIF 摄像机（--interface 地址）；不登录任何设备
  claim          认领本代理；一次性认领码从标准输入读取
  status         运行中的代理的自述状态
  logs           日志的最后几行（--follow、--level warn、--camera 编号）
  doctor         检查目录、磁盘、时钟、域名、中心、ffmpeg、组播和摄像机
  config check   检查配置文件
  version, help

配置文件：--config 文件，否则 $HUISHI_EDGE_CONFIG，否则 /etc/huishi-edge/config.json。
退出码：0 正常，1 有失败，2 用法错误。`,
  unknownCommand: "未知的命令或选项",
  scanning: "正在查找摄像机，约 5 秒……",
  nothingFound: "没有摄像机应答。请检查供电和网线；其他网段的摄像机收不到探测。",
  found: "台设备应答",
  askCode: "认领码（输入后回车）：",
  claimed: "认领成功。代理编号：",
  alreadyClaimed: "已认领，未作更改。代理编号：",
  configGood: "配置正确。",
  internal: "意外故障；请连同代理日志一起上报",
  notRunning: "代理没有运行：以下地址无应答",
  noPage: "此代理没有状态页：请在其配置中加入 `statusPage`",
  notAnAgent: "应答的是别的程序",
  tokenRefused: "状态页拒绝了此配置中的口令",
  noLogs: "还没有日志，目录：",
  centre: "中心",
  connected: "已连接",
  notConnected: "未连接",
  since: "已",
  events: "待送事件",
  lost: "放弃",
  cameras: "摄像机",
  noCameras: "还没有摄像机",
  recording: "录像",
  shortfall: "不足",
  sensors: "传感器",
  configuration: "配置",
  applied: "已应用",
  refused: "被拒绝",
  none: "无",
  free: "剩余",
  disk: "磁盘",
  lastPicture: "最近画面",
  ago: "前",
  running: "已运行",
  version: "版本",
  agent: "代理",
  ok: "正常",
  warn: "警告",
  fail: "失败",
};

export function textsOf(language: Language): Texts {
  return language === "zh" ? CHINESE : ENGLISH;
}
