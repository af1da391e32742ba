// The gateway's page in Chromium, for gateway_browser_spec.lua: the whole way with the mouse, with the keyboard alone, and at a
// width of 360 pixels. Prints a line for each step, and ends with 1 at the first fault.
// Usage: node gateway_browser.js ADDRESS CHROMIUM FOLDER-OF-PLAYWRIGHT [FOLDER-FOR-SCREENSHOTS]
"use strict";
const assert = require("assert");
const fs = require("fs");
const path = require("path");
const [address, executablePath, playwright, screenshots] = process.argv.slice(2);
const { chromium } = require(path.resolve(playwright, "node_modules/playwright-core"));

const IMAGES = path.resolve(__dirname, "../../examples/images");
const NEON = path.join(IMAGES, "neon.png"), MOUNTAINS = path.join(IMAGES, "mountains.png");
const SCRIPT_NAME = "<img src=x onerror=document.title=1>.png";
const PROMPT = "A futuristic city with neon lights <b>and rain</b>";

const ok = (text) => console.log("ok " + text);

async function screenshot(page, name) {
  if (screenshots) await page.screenshot({ path: path.join(screenshots, name), fullPage: true });
}

// A page of a user of its own. What the browser complains of is a fault, apart from the 401 of a first visit.
async function open(browser, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("401")) page.faults.push(message.text() + ": " + message.location().url);
  });
  page.on("dialog", (dialog) => page.faults.push("a dialog: " + dialog.message()));
  await page.goto(address);
  await page.waitForSelector("#address:visible");
  return page;
}

async function isShown(page, selector) {
  await page.waitForSelector(selector + ":visible", { timeout: 60000 });
  await page.waitForFunction((s) => document.querySelector(s).naturalWidth > 0, selector, { timeout: 60000 });
}

// Drops files as the file manager does: a drop event with a DataTransfer.
async function drop(page, files) {
  const data = files.map(([name, file]) => [name, fs.readFileSync(file).toString("base64")]);
  const transfer = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const [name, text] of list) {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: "image/png" }));
    }
    return transfer;
  }, data);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer });
}

// Notes each value of the progress bar and each text of the status, while the network is slow.
async function watchProgress(page) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions",
    { offline: false, latency: 0, uploadThroughput: 100 * 1024, downloadThroughput: -1 });
  await page.evaluate(() => {
    window.values = [];
    window.words = [];
    const bar = document.getElementById("upload-bar"), status = document.getElementById("status");
    new MutationObserver(() => window.values.push(bar.value)).observe(bar, { attributes: true });
    new MutationObserver(() => window.words.push(status.textContent)).observe(status, { childList: true });
  });
}

async function withMouse(browser) {
  const page = await open(browser, { viewport: { width: 1100, height: 800 } });
  await page.fill("#address", "mouse@example.com");
  await page.fill("#password", "SecurePass123");
  await page.click("text=Create an account");
  await page.waitForSelector("#gallery-empty:visible");
  assert.equal(await page.evaluate(() => document.cookie), "");
  ok("signs up; no script can read the cookie");

  await drop(page, [[SCRIPT_NAME, NEON], ["mountains.png", MOUNTAINS]]);
  const names = await page.locator("#file-list p:first-child").allTextContents();
  assert.deepEqual(names, [SCRIPT_NAME, "mountains.png"]);
  assert.equal(await page.locator("#file-list img[src=x]").count(), 0);
  ok("drops two images; a script as a name is text");

  await watchProgress(page);
  await page.fill("#prompt", PROMPT);
  await page.click("#generate");
  await page.waitForSelector("#upload-bar:visible");
  await page.waitForSelector("#result-wait:visible");
  const values = (await page.evaluate(() => window.values)).filter((value) => value > 0);
  assert.ok(values.some((value) => value < 100), "the bar moved: " + values);
  assert.deepEqual(values, [...values].sort((a, b) => a - b));
  ok("the bar grows");

  await isShown(page, "#result-image");
  assert.equal(await page.getAttribute("#result-image", "alt"), PROMPT);
  const words = await page.evaluate(() => window.words);
  assert.deepEqual([words[0], words[words.length - 1]], ["Waiting in the queue", "Your image is ready."]);
  ok("events bring the result");

  await page.reload();
  await isShown(page, "#cards img");
  assert.equal(await page.textContent(".prompt"), PROMPT);
  assert.equal(await page.locator(".prompt b").count(), 0);
  ok("the gallery has it after a reload");

  const other = await page.context().newPage();
  await other.goto(address);
  await other.waitForSelector("#studio:visible");
  await page.click("#log-out");
  await page.waitForSelector("#address:visible");
  await drop(other, [["mountains.png", MOUNTAINS]]);
  await other.fill("#prompt", "a boat");
  await other.click("#generate");
  await other.waitForSelector("#account-error:has-text('Log in first.')");
  ok("another tab says that the session is over");
  assert.equal((await page.context().cookies()).length, 0);
  assert.equal(await page.locator("#cards li").count(), 0);
  ok("logs out");
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

// Presses Tab until an element has the focus, which must show.
async function tabTo(page, selector) {
  for (let i = 0; i < 40; i++) {
    const state = await page.evaluate((s) => {
      const element = document.activeElement, shown = element.closest(".drop") || element;
      return { found: element.matches(s), outline: getComputedStyle(shown).outlineStyle };
    }, selector);
    if (state.found) {
      assert.equal(state.outline, "solid", "the focus on " + selector + " shows");
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail("Tab does not reach " + selector);
}

async function withKeyboard(browser) {
  const page = await open(browser, { viewport: { width: 1100, height: 800 }, reducedMotion: "reduce" });
  const keys = page.keyboard;
  page.on("filechooser", () => {}); // from here on Chromium tells of a chooser; asked with the key, it may open one before
  await tabTo(page, "#address");
  await keys.type("keyboard@example.com");
  await tabTo(page, "#password");
  await keys.type("SecurePass123");
  await tabTo(page, "button[value=sign-up]");
  await keys.press("Enter");
  await page.waitForSelector("#studio:visible");
  await tabTo(page, "#files");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), keys.press("Space")]);
  await chooser.setFiles([NEON, MOUNTAINS]);
  await tabTo(page, "[aria-label='Remove mountains.png']");
  await keys.press("Enter");
  assert.equal(await page.locator("#file-list li").count(), 1);
  await tabTo(page, "#prompt");
  await keys.type("a boat");
  await tabTo(page, "#generate");
  await keys.press("Enter");
  await page.waitForSelector("#result-wait:visible");
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".spinner")).animationName), "none");
  await isShown(page, "#result-image");
  await isShown(page, "#cards img");
  ok("the keyboard alone makes an image");

  await tabTo(page, "[aria-label='Delete: a boat']");
  await keys.press("Enter");
  await page.waitForSelector("#confirm[open]");
  await keys.press("Escape");
  assert.equal(await page.locator("#cards li").count(), 1);
  await tabTo(page, "[aria-label='Delete: a boat']");
  await keys.press("Enter");
  await tabTo(page, "#confirm [value=delete]");
  await keys.press("Enter");
  await page.waitForSelector("#gallery-empty:visible");
  assert.equal(await page.evaluate(() => document.activeElement.id), "gallery-title");
  await tabTo(page, "#log-out");
  await keys.press("Enter");
  await page.waitForSelector("#address:visible");
  ok("the keyboard alone deletes it and logs out");
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

async function fits(page) {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const small = await page.$$eval("button", (list) => list.filter((one) => one.offsetHeight && one.offsetHeight < 44).length);
  assert.equal(small, 0, "each button is 44 pixels high");
}

async function generate(page, prompt) {
  await page.setInputFiles("#files", [NEON, MOUNTAINS]);
  await page.fill("#prompt", prompt);
  await page.click("#generate");
  await page.waitForSelector("#result-wait:visible");
}

async function onAPhone(browser) {
  const page = await open(browser, { viewport: { width: 360, height: 740 }, colorScheme: "dark", hasTouch: true });
  await fits(page);
  await page.fill("#address", "someone.with.a.long.name@example.com");
  await page.fill("#password", "SecurePass123");
  await page.tap("text=Create an account");
  await page.waitForSelector("#studio:visible");
  await generate(page, "a city " + "with-a-word-that-is-longer-than-the-screen-is-wide".repeat(2));
  await fits(page);
  await isShown(page, "#result-image");
  await isShown(page, "#cards img");
  await fits(page);
  await page.tap("text=Delete");
  await page.waitForSelector("#confirm[open]");
  await fits(page);
  ok("fits in 360 pixels");

  await page.tap("#confirm [value=no]");
  await generate(page, "a city [fail: it is too dark]");
  await page.waitForFunction(() => document.getElementById("status").textContent.includes("it is too dark"), null,
    { timeout: 60000 });
  await fits(page);
  ok("says why there is no image");
  assert.deepEqual(page.faults, []);
  await page.context().close();
}

// The pictures of docs/.
async function takeScreenshots(browser) {
  for (const [name, options] of Object.entries({
    "gateway.png": { viewport: { width: 1000, height: 800 } },
    "gateway-360.png": { viewport: { width: 360, height: 740 }, colorScheme: "dark" },
  })) {
    const page = await open(browser, options);
    await page.fill("#address", "guest" + options.viewport.width + "@example.com");
    await page.fill("#password", "SecurePass123");
    await page.click("text=Create an account");
    await page.waitForSelector("#studio:visible");
    const prompts = ["Rain on a quiet street", "A tower of glass", "A harbour at night", "A futuristic city with neon lights"];
    for (const prompt of options.colorScheme ? prompts.slice(-1) : prompts) {
      await generate(page, prompt);
      await isShown(page, "#result-image");
    }
    await page.waitForFunction(() => [...document.images].every((image) => image.naturalWidth > 0));
    await screenshot(page, name);
    await page.context().close();
  }
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  if (screenshots) await takeScreenshots(browser);
  else for (const part of [withMouse, withKeyboard, onAPhone]) await part(browser);
  await browser.close();
})().catch((error) => {
  console.log(error);
  process.exit(1);
});
