import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EdgeAgentConfig } from "../../config.ts";
import { asIs, type Check, check, doubtful, failed, fine, words } from "./finding.ts";

const GIB = 1024 ** 3;
const WARN_FREE_BYTES = 2 * GIB;
const FAIL_FREE_BYTES = GIB / 4;

const WRITABLE = {
  en: "STATE_DIR: make the folder writable for this user",
  zh: "STATE_DIR：使该目录对此用户可写",
};
const ROOM = { en: "DISK_FULL: free space", zh: "DISK_FULL：请清理磁盘空间" };
const FFMPEG = {
  en: "FFMPEG_MISSING: apt-get install ffmpeg; without it pictures are not watched",
  zh: "FFMPEG_MISSING：apt-get install ffmpeg；否则不做画面诊断",
};
const MULTICAST = {
  en: "cameras will not be found by themselves; check the firewall, or configure their addresses",
  zh: "无法自动发现摄像机；检查防火墙，或在配置中填写地址",
};

export function machineChecks(config: EdgeAgentConfig): Check[] {
  return [
    check(words("state folder", "状态目录"), WRITABLE, async () => {
      await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
      const file = join(config.stateDir, `.doctor-${randomUUID()}`);
      await writeFile(file, "");
      await rm(file);
      return fine(words("is writable", "可写"));
    }),
    check(words("disk", "磁盘"), WRITABLE, async () => {
      const { bavail, bsize } = await statfs(config.stateDir);
      return judgeRoom(bavail * bsize);
    }),
    check(asIs("ffmpeg"), FFMPEG, async (signal) => {
      const { stdout } = await promisify(execFile)("ffmpeg", ["-hide_banner", "-version"], { signal }).catch(
        () => ({ stdout: "" }),
      );
      return stdout === ""
        ? doubtful(words("not found", "未找到"), FFMPEG)
        : fine(asIs(stdout.split("\n", 1)[0]?.slice(0, 60) ?? ""));
    }),
    check(words("multicast", "组播"), MULTICAST, (signal) =>
      sendMulticast(config.discovery.interfaceAddress, signal),
    ),
  ];
}

export function judgeRoom(freeBytes: number): ReturnType<typeof fine> {
  const gib = (freeBytes / GIB).toFixed(1);
  const saw = words(`${gib} GiB free`, `剩余 ${gib} GiB`);
  if (freeBytes < FAIL_FREE_BYTES) return failed(saw, ROOM);
  return freeBytes < WARN_FREE_BYTES ? doubtful(saw, ROOM) : fine(saw);
}

/** One empty datagram to the group of WS-Discovery: whether the system lets it out, not whether anybody hears it. */
async function sendMulticast(interfaceAddress: string | undefined, signal: AbortSignal) {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port: 0, ...(interfaceAddress === undefined ? {} : { address: interfaceAddress }) });
    await once(socket, "listening", { signal });
    socket.setMulticastTTL(1);
    if (interfaceAddress !== undefined) socket.setMulticastInterface(interfaceAddress);
    await promisify<void>((done) => socket.send("", 3702, "239.255.255.250", (error) => done(error)))();
    return fine(words("can be sent", "可以发送"));
  } finally {
    socket.close();
  }
}
