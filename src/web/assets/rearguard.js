/* What pages do beyond plain links and forms: live parts, the search dialog, and copying. */
(() => {
  "use strict";

  /** Shortest time between two renewals of one part of a page, in milliseconds. */
  const PAUSE = 2000;
  /** How long the connection is away before the page says that it is out of date, in milliseconds. */
  const STALE = 30_000;
  const TOPICS = ["runs", "tasks", "backups", "servers", "destinations", "alerts", "access"];

  const lastRenewal = new WeakMap();

  /** Renews a part now, or once the pause since its last renewal is over. */
  function renew(part) {
    const left = (lastRenewal.get(part) ?? 0) + PAUSE - Date.now();
    if (part.dataset.waits !== undefined) return;
    if (left > 0) {
      part.dataset.waits = "";
      setTimeout(() => {
        delete part.dataset.waits;
        renew(part);
      }, left);
    } else if (part.isConnected) {
      lastRenewal.set(part, Date.now());
      htmx.trigger(part, "live");
    }
  }

  function renewParts(topic) {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (topic === null || part.dataset.live.split(" ").includes(topic)) renew(part);
    }
  }

  for (const topic of TOPICS) document.addEventListener(topic, () => renewParts(topic));

  /* Each connection begins with this event, also the first: records may have changed since the page was made. */
  document.addEventListener("refresh", () => renewParts(null));

  const chip = document.getElementById("live-stream");
  let lostAt = null;
  let isLoggedOut = false;

  function showChip(state, text) {
    chip.hidden = false;
    chip.dataset.state = state;
    const shown = chip.querySelector(".chip-text");
    if (shown.textContent !== text) shown.textContent = text;
  }

  function connectionLost() {
    lostAt ??= new Date();
    if (isLoggedOut) return showChip("stale", "Logged out");
    if (Date.now() - lostAt < STALE) return showChip("reconnecting", "Reconnecting");
    const time = lostAt.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    showChip("stale", `Stale since ${time}`);
  }

  if (chip !== null) {
    document.addEventListener("htmx:sse:after:connection", () => {
      lostAt = null;
      showChip("live", "Live");
    });
    for (const name of ["htmx:sse:error", "htmx:sse:close", "htmx:error"]) {
      document.addEventListener(name, (event) => {
        if (name === "htmx:error" && event.target !== chip) return;
        if (name === "htmx:sse:error") isLoggedOut = event.detail.status === 401;
        connectionLost();
      });
    }
    setInterval(() => lostAt !== null && connectionLost(), 5000);
    /* A part stays as it is if its page can't be renewed. A redirect leads to the log-in. */
    document.addEventListener("htmx:before:response", (event) => {
      const response = event.detail.ctx.response.raw;
      if (event.target.dataset?.live === undefined || (response.ok && !response.redirected)) return;
      event.preventDefault();
      if (response.status === 404) showChip("stale", "Deleted");
    });
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      label.textContent = "Press Ctrl C";
    }
    setTimeout(() => label.textContent = "Copy", 2000);
  });

  function prepare(root) {
    if (navigator.clipboard) {
      for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
    }
    for (const box of root.querySelectorAll("[data-check-all]")) box.hidden = false;
  }
  document.addEventListener("htmx:after:swap", () => prepare(document));
  prepare(document);

  /* A box in a table's heading checks all boxes of the table. */
  document.addEventListener("change", (event) => {
    const all = event.target.closest?.("[data-check-all]");
    if (!all) return;
    for (const box of all.closest("table").querySelectorAll("td input[type=checkbox]")) {
      box.checked = all.checked;
    }
  });

  const palette = document.getElementById("palette");
  const results = document.getElementById("palette-results");

  function openPalette(event) {
    event.preventDefault();
    if (palette.open) return palette.close();
    palette.showModal();
    const input = palette.querySelector("input");
    input.select();
    htmx.trigger(palette.querySelector("form"), "palette");
  }

  /** Moves the focus through the results with the arrow keys. */
  function moveInPalette(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const links = [...results.querySelectorAll("a")];
    if (step === undefined || links.length === 0) return;
    event.preventDefault();
    const next = links.indexOf(document.activeElement) + step;
    if (next < 0) palette.querySelector("input").focus();
    else links[Math.min(next, links.length - 1)].focus();
  }

  if (palette !== null) {
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") openPalette(event);
      else if (palette.open) moveInPalette(event);
    });
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("[data-palette]")) openPalette(event);
      else if (event.target === palette) palette.close();
    });
    palette.querySelector("form").addEventListener("submit", (event) => {
      const first = results.querySelector("a");
      if (first === null) return;
      event.preventDefault();
      first.click();
    });
  }

  /* On phones, the menu starts closed. Without scripts, it stays open. */
  const menu = document.querySelector("details.menu");
  if (menu !== null && matchMedia("(max-width: 48rem)").matches) menu.open = false;
})();
