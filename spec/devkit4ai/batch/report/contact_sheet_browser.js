// The contact sheet in Chromium, for contact_sheet_browser_spec.lua: light and dark, in a wide window and at a width of 360
// pixels. Prints a line for each of them, and ends with 1 at the first fault.
// Usage: node contact_sheet_browser.js PAGE CHROMIUM FOLDER-OF-PLAYWRIGHT [FOLDER-FOR-SCREENSHOTS]
"use strict";
const assert = require("assert");
const path = require("path");
const [file, executablePath, playwright, screenshots] = process.argv.slice(2);
const { chromium } = require(path.resolve(playwright, "node_modules/playwright-core"));

const WINDOWS = [
  { name: "wide", width: 1280, height: 900 },
  { name: "phone", width: 360, height: 740 },
];

// What a reader with a screen reader or without a mouse needs, and a page without faults.
async function check(page) {
  const found = await page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    return {
      wider: document.documentElement.scrollWidth - window.innerWidth,
      scripts: all("script").length,
      noAlt: all("img").filter((img) => !img.alt || !img.width || !img.height).length,
      noHeading: all("section").filter((section) => !document.getElementById(section.getAttribute("aria-labelledby"))).length,
      headings: all("h1").length,
      loose: all("td, tbody th").filter((cell) => !cell.closest("table").querySelector("thead th[scope=col]")).length,
    };
  });
  assert.ok(found.wider <= 0, `the page is ${found.wider} pixels wider than the window`);
  delete found.wider;
  assert.deepStrictEqual(found, { scripts: 0, noAlt: 0, noHeading: 0, headings: 1, loose: 0 });
}

// Each image loads when it comes into view.
async function loadImages(page) {
  const images = await page.$$("img");
  for (const image of images.slice(0, 12)) {
    await image.scrollIntoViewIfNeeded();
    await image.evaluate((img) => img.complete || new Promise((resolve) => { img.onload = img.onerror = resolve; }));
    assert.ok(await image.evaluate((img) => img.naturalWidth > 0), "not loaded: " + await image.getAttribute("src"));
  }
  await page.evaluate(() => window.scrollTo(0, 0));
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  for (const { name, width, height } of WINDOWS) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme });
      const page = await context.newPage();
      const faults = [], requests = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
      page.on("dialog", (dialog) => faults.push("a dialog: " + dialog.message()));
      page.on("request", (request) => requests.push(request.url()));
      const begun = Date.now();
      await page.goto("file://" + path.resolve(file));
      const loaded = Date.now() - begun;
      await check(page);
      await loadImages(page);
      assert.deepStrictEqual(faults, []);
      assert.deepStrictEqual(requests.filter((url) => !url.startsWith("file:")), []);
      if (screenshots) await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}.png`) });
      console.log(`ok ${name} ${colorScheme}: shown after ${loaded} ms, ${requests.length - 1} images loaded`);
      await context.close();
    }
  }
  await browser.close();
})().catch((error) => { console.error(error); process.exit(1); });
