/**
 * The client page in a real browser, at real servers: what is said reaches people over TCP and the other way round,
 * marks of direct messages, lines by hand, a plain client, a reload; and servers that are killed while it is used.
 *
 * Makes screenshots too: in `docs/` with THRUM_SCREENSHOTS=docs, else in a temporary folder.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser, browserTest } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import {
  assertHarmless,
  cutOff,
  hide,
  isState,
  line,
  numbered,
  open,
  openConsole,
  register,
  registered,
  row,
  said,
  say,
  SECRET,
  startOne,
  waitForCount,
  writeLine,
} from "./_client_page.ts";

/** Nothing in the page may ever do this. */
const ATTACK = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>";
/** A name may have neither of : " \ / in it. */
const EVIL_NAME = "<img src=x onerror=window.hacked=1>";
const LARGEST_SCREENSHOT_BYTES = 300_000;
/** A server that is gone does not answer, which the browser tells. */
const GONE = /ERR_(CONNECTION|INCOMPLETE|EMPTY|SOCKET)|WebSocket connection to|status of 503/;

// What functions find that run in the page and not here.
declare const document: { readonly documentElement: { readonly scrollWidth: number } };
declare const innerWidth: number;
declare const sessionStorage: object;
declare const localStorage: object;

browserTest("people in the page and people over TCP talk to each other", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server);
  const bob = cleanup.use(await registered(server, "bob"));

  await t.step("who is not registered is told so, and registers", async () => {
    await page.getByLabel("Name", { exact: true }).fill("anna");
    await page.getByLabel("Password", { exact: true }).fill(SECRET);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").filter({ hasText: "Nobody has registered this name yet" }).waitFor();
    await page.getByRole("button", { name: "Register this name" }).click();
    await isState(page, "live");
  });

  await t.step("a text and a JSON activity arrive over TCP as they were written", async () => {
    await say(page, "Hello, bob");
    await bob.untilActivities(1);
    assertEquals(bob.activities[0], { text: "Hello, bob" });
    await page.locator("#kind").getByText("JSON").click();
    await say(page, '{"n": 1.0, "big": 9007199254740993}');
    await bob.untilActivities(2);
    // As written: the page does not write out what JSON.parse read.
    await row(page, '{"n": 1.0, "big": 9007199254740993}').waitFor();
    await page.locator("#kind").getByText("Text").click();
  });

  await t.step("what is no JSON object is not sent, and said so", async () => {
    await page.locator("#kind").getByText("JSON").click();
    await say(page, '["a"]');
    await page.getByText("An activity is a JSON object").waitFor();
    await page.locator("#kind").getByText("Text").click();
    await page.getByLabel("Message").fill("");
  });

  await t.step("what is published over TCP appears in the page", async () => {
    bob.send({ command: "ACTIVITY_MESSAGE", activity: { text: "Hello, anna" } });
    await row(page, "Hello, anna").waitFor();
    bob.send({ command: "ACTIVITY_MESSAGE", activity: { temperature: 21.5 } });
    await row(page, '{"temperature":21.5}').waitFor();
  });

  await t.step("what nobody has seen is counted in the title, until somebody looks", async () => {
    await browser.title(page, "Client · thrum");
    const look = await hide(page);
    for (let n = 1; n <= 3; n++) bob.send({ command: "ACTIVITY_MESSAGE", activity: { text: `unseen ${n}` } });
    await browser.title(page, "(3) Client · thrum");
    await look();
    await browser.title(page, "Client · thrum");
  });

  await t.step("a direct message is stored, then delivered, and seen to be", async () => {
    await page.getByRole("button", { name: "bob", exact: true }).click();
    assertEquals(await page.getByLabel("To", { exact: true }).inputValue(), "bob");
    await say(page, "at five?");
    const mark = row(page, "at five?").locator(".row-mark");
    await mark.and(page.locator("[data-mark=stored]")).waitFor();
    const { id } = await bob.next("DIRECT_MESSAGE");
    const [origin, sequence] = id.split(":");
    bob.send({ command: "ACK", vector: { [origin]: Number(sequence) } });
    await mark.and(page.locator("[data-mark=delivered]")).waitFor();
  });

  await t.step("a direct message from TCP appears, and the page says that it was seen", async () => {
    bob.send({ command: "DIRECT_MESSAGE", to: "anna", text: "at six!", messageId: "d-1" });
    await row(page, "at six!").waitFor();
    await bob.until(
      () => bob.received.some(({ command, state }) => command === "RECEIPT" && state === "delivered"),
      "the word that it was delivered",
    );
  });

  await t.step("a message to nobody is marked as not sent", async () => {
    await page.getByLabel("To", { exact: true }).fill("eve");
    await say(page, "hello?");
    await row(page, "hello?").getByText("there is no user with this name").waitFor();
    await page.getByLabel("To", { exact: true }).fill("");
  });

  await t.step("a text that begins with a known name goes to that user alone, which stands there before", async () => {
    const caroline = cleanup.use(await registered(server, "caroline"));
    await page.locator("#online").getByText("caroline").waitFor();
    const whom = page.locator("#whom");
    await page.getByLabel("Message").fill("hello");
    assertEquals(await whom.isVisible(), false);
    for (const text of ["caroline: not for bob", "caroline:nor this"]) {
      await page.getByLabel("Message").fill(text);
      await whom.getByText("To caroline only").waitFor();
      await page.getByLabel("Message").press("Enter");
      const said = text.slice(text.indexOf(":") + 1).trim();
      await row(page, said).and(page.locator(".direct")).waitFor();
      assertEquals((await caroline.next("DIRECT_MESSAGE")).text, said);
    }
    assertEquals(await whom.isVisible(), false);
  });

  await t.step(
    "a text for somebody who is not known goes to nobody, until the person wants everyone to have it",
    async () => {
      const before = bob.activities.length;
      await say(page, "caroilne: a secret");
      await page.getByRole("alert").filter({ hasText: "This was not sent" }).waitFor();
      await page.locator("#whom", { hasText: 'To nobody: this page knows no user "caroilne"' }).waitFor();
      assertEquals(await page.getByLabel("Message").inputValue(), "caroilne: a secret");
      await page.getByLabel("Message").fill("Lunch: now");
      await page.getByRole("button", { name: "Say it to everyone" }).click();
      await bob.untilActivities(before + 1);
      assertEquals(bob.activities.slice(before), [{ text: "Lunch: now" }]);
      assertEquals(await page.getByLabel("Message").inputValue(), "");
    },
  );

  await t.step("its server is called as on the page of the network, and its id is the tooltip", async () => {
    const name = `127.0.0.1:${server.port}`;
    const fact = page.locator("#facts dd", { hasText: name }).first();
    await fact.waitFor();
    assertMatch(await fact.getAttribute("title") ?? "", /^s-/);
    assertMatch(await page.locator("#vector span", { hasText: name }).getAttribute("title") ?? "", /^s-/);
  });

  await t.step("who comes and goes is told", async () => {
    const carl = await registered(server, "carl");
    await page.locator("#online").getByText("carl").waitFor();
    carl.send({ command: "LOGOUT" });
    await carl.closed();
    await page.locator("#rows .aside", { hasText: "carl" }).filter({ hasText: "left" }).waitFor();
    await page.locator("#online").getByText("carl").waitFor({ state: "detached" });
  });

  await t.step("script in a name and in an activity is text, and does nothing", async () => {
    await using evil = await registered(server, EVIL_NAME);
    evil.send(
      { command: "ACTIVITY_MESSAGE", activity: { text: ATTACK } },
      { command: "ACTIVITY_MESSAGE", activity: { [ATTACK]: [ATTACK] } },
      { command: "DIRECT_MESSAGE", to: "anna", text: ATTACK },
    );
    await page.locator("#rows .row", { hasText: "to you" }).filter({ hasText: ATTACK }).waitFor();
    await page.locator("#online").getByText(EVIL_NAME).waitFor();
    assertEquals(await page.locator("#rows .row-name").last().textContent(), EVIL_NAME);
    await openConsole(page);
    await page.locator("#log li", { hasText: "onerror=window.hacked" }).first().waitFor();
    await assertHarmless(page);
  });

  await t.step("no secret is shown in the lines, and none is kept", async () => {
    await page.locator("#log li", { hasText: "LOGIN" }).first().waitFor();
    const lines = await page.locator("#log").innerText();
    assertMatch(lines, /"secret":"…"/);
    assert(!lines.includes(SECRET));
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    assert(kept.includes("Hello, anna") && !kept.includes(SECRET));
  });

  await t.step("a page that is loaded again goes on where it was, without a word of its user", async () => {
    const before = await said(page);
    // The second time with a pass that a pass has brought.
    for (const _ of [1, 2]) await page.reload().then(() => isState(page, "live"));
    assertEquals(await said(page), before);
    assert(!/"pass":"(?!…)/.test(await page.locator("#log").innerText()));
  });

  await t.step("when its pass is used elsewhere, it asks for the password, and goes on where it was", async () => {
    const before = await said(page);
    await page.evaluate(() => dispatchEvent(new Event("pagehide")));
    const pass = await page.evaluate(() => JSON.parse(Object.values({ ...sessionStorage })[0] as string).session.pass);
    await using other = await LineClient.connect(server.port);
    other.send({ command: "LOGIN", username: "anna", features: ["resume"], pass });
    await other.next("LOGIN_SUCCESS");
    await page.reload();
    await page.getByText("Give the password to go on").waitFor();
    bob.send({ command: "ACTIVITY_MESSAGE", activity: { text: "while you were away" } });
    await bob.until(() => bob.activities.some(({ text }) => text === "while you were away"), "its own activity");
    assertEquals(await page.getByLabel("Name", { exact: true }).inputValue(), "anna");
    assertEquals(await page.getByLabel("Password", { exact: true }).inputValue(), "");
    await page.getByLabel("Password", { exact: true }).fill(SECRET);
    await page.getByRole("button", { name: "Log in" }).click();
    await row(page, "while you were away").waitFor();
    assertEquals(await said(page), [...before, "while you were away"]);
  });

  await t.step("logging out leaves nothing behind", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await isState(page, "signed out");
    assertEquals(await page.evaluate(() => Object.keys(sessionStorage)), []);
    assertEquals(await said(page), []);
  });
});

browserTest("the protocol can be tried by hand", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server);

  await t.step("nothing is sent but what is written", async () => {
    await page.getByRole("button", { name: "Write the lines by hand" }).click();
    await isState(page, "by hand");
    await writeLine(page, '{"command":"REGISTER","username":"hans","secret":"by hand"}');
    await line(page, "in", "REGISTER_SUCCESS").waitFor();
    await writeLine(page, '{"command":"LOGIN","username":"hans","secret":"by hand"}');
    await line(page, "in", "LOGIN_SUCCESS").waitFor();
    const sent = page.locator('#log li[data-direction="out"]');
    assertEquals(await sent.count(), 2);
    assert(!(await page.locator("#log").innerText()).includes('by hand"'));
  });

  await t.step("a line that is not allowed gets INVALID_MESSAGE, and its end says why", async () => {
    await writeLine(page, '{"command":"LIST_ROOMS"}');
    await line(page, "in", "INVALID_MESSAGE").getByText("the command is not known: LIST_ROOMS").waitFor();
    await isState(page, "ended");
    await page.locator("#outage", { hasText: "the command is not known: LIST_ROOMS" }).waitFor();
    await page.getByRole("button", { name: "Connect again" }).click();
    await isState(page, "by hand");
  });

  await t.step("lines are filtered, stopped and cleared", async () => {
    await page.getByLabel("Filter the lines").fill("list_rooms");
    await waitForCount(page.locator("#log li"), 2);
    await page.getByLabel("Filter the lines").fill("");
    await page.getByRole("button", { name: "Pause" }).click();
    await writeLine(page, '{"command":"LOGIN","username":"anonymous","features":["ack"]}');
    await page.getByText("more since the pause").waitFor();
    assertEquals(await line(page, "in", "LOGIN_SUCCESS").count(), 1);
    await page.getByRole("button", { name: "Go on" }).click();
    await waitForCount(line(page, "in", "LOGIN_SUCCESS"), 2);
    await page.getByRole("button", { name: "Clear" }).click();
    await waitForCount(page.locator("#log li"), 0);
  });

  await t.step("several lines are several frames", async () => {
    await page.getByLabel("A line to the server").fill(
      '{"command":"LIST_USERS","scope":"all"}\n{"command":"HEARTBEAT","sequence":7}',
    );
    await page.getByRole("button", { name: "Send line" }).click();
    await line(page, "in", "USER_LIST").waitFor();
    await line(page, "in", '"sequence":7').waitFor();
  });
});

browserTest("the plain switch shows what a plain client sees, and back", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server);
  await register(page, "anna");
  await say(page, "with features");
  await row(page, "with features").waitFor();
  // What was begun for one user is not for everyone because it cannot be sent to one any more.
  await page.getByLabel("To", { exact: true }).fill("anna");
  await page.getByLabel("Message").fill("for me alone");
  await page.getByRole("switch", { name: "Plain client" }).check();
  await isState(page, "live, plain");
  await openConsole(page);
  await line(page, "out", '{"command":"LOGIN","username":"anna","secret":"…"}').waitFor();
  await page.getByLabel("Message").press("Enter");
  await page.getByRole("alert").filter({ hasText: "This was not sent" }).waitFor();
  await page.locator("#whom", { hasText: "Not to anna: plain clients publish to everyone" }).waitFor();
  await page.getByLabel("Message").fill("");
  await page.getByRole("button", { name: "Say it to everyone" }).click();
  assertEquals(await page.getByLabel("To", { exact: true }).inputValue(), "");
  await line(page, "in", '{"command":"LOGIN_SUCCESS","info":"logged in as anna"}').waitFor();
  await say(page, "without");
  await row(page, "without").waitFor();
  assertEquals(await page.getByLabel("To", { exact: true }).isDisabled(), true);
  await say(page, "anna: for me alone");
  await page.getByRole("alert").filter({ hasText: "This was not sent" }).waitFor();
  await page.locator("#whom", { hasText: "Not to anna: plain clients publish to everyone" }).waitFor();
  await page.getByLabel("Message").fill("");
  await page.getByRole("switch", { name: "Plain client" }).uncheck();
  await isState(page, "live");
  await say(page, "with features again");
  await row(page, "with features again").waitFor();
  assertEquals(await said(page), ["with features", "without", "with features again"]);
  // When all is over, nobody is said to be there.
  await page.locator("#online").getByText("anna").waitFor();
  await writeLine(page, '{"command":"LIST_ROOMS"}');
  await isState(page, "ended");
  await waitForCount(page.locator("#online li"), 0);
  assertEquals(await page.locator("#online-count").textContent(), "");
});

browserTest("a page whose only server is killed waits for it, and has everything once, in order", async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const server = await startOne("--data", folder);
  cleanup.use(server);
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server, {}, GONE);
  await register(page, "anna");
  for (let n = 1; n <= 5; n++) await say(page, `before ${n}`);
  await row(page, "before 5").waitFor();
  await server.end();
  await isState(page, "reconnecting");
  await browser.title(page, "reconnecting · Client · thrum");
  await page.locator("#outage", { hasText: "The connection was lost" }).waitFor();
  await page.setViewportSize({ width: 390, height: 780 });
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  assertEquals(await cutOff(page), []);
  await page.setViewportSize({ width: 1280, height: 800 });
  for (let n = 1; n <= 5; n++) await say(page, `meanwhile ${n}`);
  await waitForCount(page.locator("#pending .row"), 5);
  const again = cleanup.use(await server.again());
  await isState(page, "live");
  await waitForCount(page.locator("#pending .row"), 0);
  await say(page, "after");
  await row(page, "after").waitFor();
  const all = [...numbered("before"), ...numbered("meanwhile"), "after"];
  assertEquals(await said(page), all);
  // And the same in the log of the server.
  await using reader = await LineClient.loggedIn(again.port, { features: ["resume"], resume: { vector: {} } });
  await reader.untilActivities(all.length);
  assertEquals(reader.activities.map(({ text }) => text), all);
});

browserTest("a page whose server is killed goes on at another one, and has everything once, in order", async () => {
  await using cleanup = new AsyncDisposableStack();
  const first = cleanup.use(await startOne("--ephemeral"));
  const second = cleanup.use(await startOne("--ephemeral", "--join", `127.0.0.1:${first.port}`));
  const browser = cleanup.use(await Browser.start());
  const bob = cleanup.use(await registered(second, "bob"));
  const page = await open(browser, first, {}, GONE);
  await register(page, "anna");
  await page.locator("#backups", { hasText: `gateway ${second.gateway}` }).waitFor();
  for (let n = 1; n <= 5; n++) await say(page, `before ${n}`);
  await bob.untilActivities(5);
  await first.program[Symbol.asyncDispose]();
  for (let n = 1; n <= 5; n++) await say(page, `meanwhile ${n}`);
  await isState(page, "live");
  await page.locator("#rows .aside", { hasText: `Connected again, to ${second.gateway}` }).waitFor();
  await waitForCount(page.locator("#pending .row"), 0);
  bob.send({ command: "ACTIVITY_MESSAGE", activity: { text: "welcome" } });
  await row(page, "welcome").waitFor();
  const all = [...numbered("before"), ...numbered("meanwhile"), "welcome"];
  assertEquals(await said(page), all);
  assertEquals(bob.activities.map(({ text }) => text), all);
});

browserTest("a server that stopped without closing is given up by its heartbeats", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server, {}, GONE);
  await register(page, "anna");
  server.program.signal("SIGSTOP");
  try {
    await isState(page, "reconnecting");
    await page.locator("#outage", { hasText: "no heartbeat was answered" }).waitFor();
  } finally {
    server.program.signal("SIGCONT");
  }
  await isState(page, "live");
});

browserTest("the page is fit to be seen: light, dark, on a phone", async () => {
  await using cleanup = new AsyncDisposableStack();
  const first = cleanup.use(await startOne("--ephemeral"));
  const second = cleanup.use(await startOne("--ephemeral", "--join", `127.0.0.1:${first.port}`));
  const bela = cleanup.use(await registered(second, "bela"));
  const chidi = cleanup.use(await registered(second, "chidi"));
  const browser = cleanup.use(await Browser.start());
  const isKept = Deno.env.get("THRUM_SCREENSHOTS") === "docs";
  const folder = isKept
    ? new URL("../../docs", import.meta.url).pathname
    : await Deno.makeTempDir({ prefix: "thrum-screenshots-" });
  console.log(`    screenshots in ${isKept ? "docs/" : folder}`);
  const looks = {
    light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
    dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
    phone: { viewport: { width: 390, height: 780 }, colorScheme: "light", isMobile: true, hasTouch: true },
  } as const;
  const narrow = ["talk", "network", "console"];
  for (const [name, look] of Object.entries(looks)) {
    const page = await open(browser, first, look);
    const picture = async (what: string) => {
      // Nothing sticks out at the side.
      assertEquals(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      assertEquals(await cutOff(page), [], `${name} ${what}`);
      const { length } = await page.screenshot({ path: `${folder}/client-${name}${what}.png` });
      assert(length < LARGEST_SCREENSHOT_BYTES, `client-${name}${what}.png has ${length} bytes`);
    };
    if (!isKept) await picture("-signed-out");
    await register(page, `ada-${name}`);
    bela.send({ command: "ACTIVITY_MESSAGE", activity: { text: "the kettle is on" } });
    chidi.send({ command: "ACTIVITY_MESSAGE", activity: { room: "lab", temperature: 21.5, at: [1, 2] } });
    // Those who came before have seen it too, as what was said before.
    await row(page, "the kettle is on").nth(Object.keys(looks).indexOf(name)).waitFor();
    await say(page, "On my way. Keep some of the good tea for me, and not the one from the other shelf, please!");
    chidi.send({ command: "DIRECT_MESSAGE", to: `ada-${name}`, text: "meet me at five?" });
    await row(page, "meet me at five?").waitFor();
    if (name === "phone") {
      for (const tab of narrow) {
        await page.locator(`#tab-${tab}`).click();
        if (tab === "talk" || !isKept) await picture(tab === "talk" ? "" : `-${tab}`);
      }
    } else {
      await picture("");
      await openConsole(page);
      if (!isKept) await picture("-console");
    }
    await page.context().close();
  }
});
