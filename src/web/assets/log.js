/* The log of a run: adds new lines at its end, and older lines at its beginning. */
(() => {
  "use strict";

  const log = document.getElementById("log");
  if (log === null) return;

  /** Number of lines in one element. Browsers skip the layout of elements that are out of sight. */
  const PART = 500;
  const { url, timezone, search, stream } = log.dataset;
  // deno-lint-ignore no-control-regex
  const UNSAFE = /[\0-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, timeStyle: "medium" });

  function visible(character) {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  }

  function textOf({ text }) {
    const stamp = /^\d{4}-\d\d-\d\dT[\d:.]+Z(?= )/.exec(text)?.[0] ?? "";
    const at = Date.parse(stamp);
    const shown = Number.isNaN(at) ? text : clock.format(at) + text.slice(stamp.length);
    return shown.replace(UNSAFE, visible) + "\n";
  }

  /** Adds lines to `part`, and those that do not fit to new parts. Returns the new parts. */
  function addLines(lines, part = null) {
    const made = [];
    for (let next = 0; next < lines.length;) {
      if (part === null || part.lineCount >= PART) {
        part = Object.assign(document.createElement("div"), { className: "log-part", lineCount: 0 });
        made.push(part);
      }
      const nodes = [];
      let plain = "";
      for (; next < lines.length && part.lineCount < PART; next++, part.lineCount++) {
        const text = textOf(lines[next]);
        if (lines[next].stream === "output") {
          plain += text;
          continue;
        }
        const mark = Object.assign(document.createElement("span"), {
          className: `log-${lines[next].stream}`,
        });
        mark.textContent = text;
        nodes.push(plain, mark);
        plain = "";
      }
      part.append(...nodes, plain);
      part.normalize();
    }
    return made;
  }

  const end = document.getElementById("log-end");
  let [arrived, unseen, isAtEnd, last] = [[], 0, true, null];
  const jumpToEnd = () => log.scrollTop = log.scrollHeight;

  function showEnd() {
    end.hidden = isAtEnd;
    end.querySelector("span").textContent = `Jump to the end${unseen === 0 ? "" : ` (${unseen} new)`}`;
  }

  /** Adds the lines that have arrived since the last frame. */
  function addArrived() {
    log.querySelector(".log-empty")?.remove();
    const made = addLines(arrived, last);
    log.append(...made);
    last = made.at(-1) ?? last;
    if (isAtEnd) jumpToEnd();
    else unseen += arrived.length;
    arrived = [];
    showEnd();
  }

  document.addEventListener("lines", (event) => {
    const { lines, finished } = JSON.parse(event.detail.data);
    const fitting = lines.filter((line) =>
      (stream === "" || stream === line.stream) && line.text.toLowerCase().includes(search.toLowerCase())
    );
    if (arrived.length === 0 && fitting.length > 0) requestAnimationFrame(addArrived);
    arrived = arrived.concat(fitting);
    if (finished) document.getElementById("log-state").textContent = "This is the end of the log.";
  });

  log.addEventListener("scroll", () => {
    isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    if (isAtEnd) unseen = 0;
    showEnd();
    if (older !== null && !older.hidden && log.scrollTop < log.clientHeight) addOlder();
  });
  end.addEventListener("click", jumpToEnd);

  const older = document.getElementById("log-older");

  /** Adds the lines before the first one. What the reader sees stays in its place. */
  async function addOlder() {
    if (older.ariaBusy === "true") return;
    older.ariaBusy = "true";
    const query = new URLSearchParams({ before: log.dataset.first, limit: 2000 });
    if (search !== "") query.set("search", search);
    if (stream !== "") query.set("stream", stream);
    const answer = await fetch(`${url}?${query}`)
      .then((response) => response.ok ? response.json() : null).catch(() => null);
    older.ariaBusy = "false";
    if (answer === null) return;
    const below = log.scrollHeight - log.scrollTop;
    older.after(...addLines(answer.data));
    log.scrollTop = log.scrollHeight - below;
    log.dataset.first = answer.data[0]?.sequence ?? 0;
    older.hidden = !answer.has_older;
  }

  older?.addEventListener("click", (event) => {
    event.preventDefault();
    addOlder();
  });
  if (!location.search.includes("log_after=")) jumpToEnd();
})();
