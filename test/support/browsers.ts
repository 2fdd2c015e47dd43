import { existsSync } from "node:fs";

/** The Chromium of this machine: the variable CHROMIUM, or one of the usual places. */
export function chromiumPath(): string | undefined {
  const places = [
    process.env["CHROMIUM"] ?? "",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  ];
  return places.find((place) => place !== "" && existsSync(place));
}

/** The Firefox of this machine: the variable FIREFOX, or one of the usual places. */
export function firefoxPath(): string | undefined {
  const places = [
    process.env["FIREFOX"] ?? "",
    "/usr/bin/firefox-esr",
    "/usr/bin/firefox",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
  ];
  return places.find((place) => place !== "" && existsSync(place));
}
