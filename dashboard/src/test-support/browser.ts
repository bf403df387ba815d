/** Debian's Chromium under playwright-core, with what the page said to its console. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { existsSync } from "node:fs";

const EXECUTABLE = process.env["HUISHI_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export const hasChromium = existsSync(EXECUTABLE);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
}

export interface OpenedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and refused loads that the page reported, Content-Security-Policy included. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { locale?: string; width?: number; height?: number } = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({
    locale: options.locale ?? "en",
    timezoneId: "Asia/Shanghai",
    viewport: { width: options.width ?? 1600, height: options.height ?? 900 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { context, page, complaints };
}
