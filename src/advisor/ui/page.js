/* The page's script, run once by Gradio with `trigger`, `watch` and `props` in scope. It passes acts to Python, keeps
   conversations in this browser, shows quotes and marks. Whatever it puts on the page goes in as text, never as HTML. */

window.advisorPage?.abort(); // Gradio may put this part of the page up anew: the earlier listeners go
const life = window.advisorPage = new AbortController();
const on = (target, type, heard, options = {}) => target.addEventListener(type, heard, { ...options, signal: life.signal });
const STORE = "advisor.conversations", TAB = "advisor.current", ASKING = "advisor.asking";
const $ = (selector, root = document) => root.querySelector(selector);
const make = (tag, attributes = {}, text = "") => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
};
const act = (action, fields = {}) => trigger("select", { action, ...fields });
const busy = () => Boolean($(".exchange.growing"));

/* Conversations kept in this browser: id -> {name, at, record}. */
const kept = () => { try { return JSON.parse(localStorage.getItem(STORE)) || {}; } catch { return {}; } };
const keep = (all) => {
  const ids = Object.keys(all).sort((a, b) => all[b].at - all[a].at);
  for (let most = Math.min(ids.length, 50); most > 0; most -= 1) {
    try {
      localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(ids.slice(0, most).map((id) => [id, all[id]]))));
      return;
    } catch { /* the browser's store is full: the oldest goes */ }
  }
  localStorage.removeItem(STORE);
};
let importedName = "";
const keepRecord = (record) => {
  const all = kept(), first = record.exchanges[0]?.asked || "Conversation";
  all[record.id] = { name: all[record.id]?.name || importedName || first.slice(0, 60), at: Date.now(), record };
  importedName = "";
  keep(all);
  sessionStorage.setItem(TAB, record.id);
};

/* Messages from Python. */
const announcer = make("div", { class: "unseen", role: "status", "aria-live": "polite", id: "announcer" });
const hint = make("div", { class: "hint", role: "alert", hidden: "" });
for (const old of document.querySelectorAll("#announcer, .hint, .tip")) old.remove();
const lost = make("div", { class: "hint lost", role: "alert", hidden: "" });
document.body.append(announcer, hint, lost);
let hintTimer = 0;
const say = (text) => {
  hint.textContent = text;
  hint.hidden = false;
  clearTimeout(hintTimer);
  hintTimer = setTimeout(() => { hint.hidden = true; }, 7000);
};
const download = (name, text, type) => {
  const link = make("a", { download: name.replace(/[\\/:*?"<>|]+/g, " ").trim(), href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const showTab = (name) => [...document.querySelectorAll('[role="tab"]')].find((tab) => tab.textContent.trim() === name)?.click();
const receive = () => {
  let message;
  try { message = JSON.parse(props.value || "{}"); } catch { return; }
  if (message.keep) keepRecord(message.keep);
  if (message.current) sessionStorage.setItem(TAB, message.current);
  if (message.download) download(message.download.name, message.download.text, "text/markdown");
  if (message.hint) say(message.hint);
  if (message.announce) announcer.textContent = message.announce.replace(/\[(\d+)\]/g, "").replace(/[*|#_]+/g, " ").slice(0, 1500);
  if (message.show) showTab(message.show);
  if (message.panel) { openPanel(); requestAnimationFrame(showMark); announcer.textContent = `${message.panel}, opened beside the chat.`; }
  if (message.focus) setTimeout(() => $("#question textarea")?.focus(), 50);
};
watch("value", receive);

/* The panel beside the chat; on a phone it lies over the chat. */
let opener = null;
const narrow = () => matchMedia("(max-width: 900px)").matches;
const isOpen = () => $("#panel").hasAttribute("data-open");
const openPanel = () => {
  $("#panel").setAttribute("data-open", "");
  if (!narrow()) return;
  document.body.style.overflow = "hidden";
  $("#panel-close")?.focus();
};
const closePanel = () => {
  $("#panel").removeAttribute("data-open");
  document.body.style.overflow = "";
  if (opener?.isConnected) opener.focus();
};
const showMark = () => {
  const panel = $("#panel"), mark = $(".guide :is(.cited-cell, mark.cited, .target)", panel);
  if (!mark) { panel.scrollTop = 0; return; }
  panel.scrollTop += mark.getBoundingClientRect().top - panel.getBoundingClientRect().top - panel.clientHeight / 3;
  const table = mark.closest(".table");
  if (table) table.scrollLeft += mark.getBoundingClientRect().left - table.getBoundingClientRect().left - table.clientWidth / 3;
};

/* The quote of a citation, on hover and on focus. */
const tip = make("div", { class: "tip", role: "tooltip", id: "quote-tip", hidden: "" });
document.body.append(tip);
const showTip = (link) => {
  tip.textContent = link.dataset.quote;
  tip.hidden = false;
  link.setAttribute("aria-describedby", "quote-tip");
  const at = link.getBoundingClientRect(), size = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(12, Math.min(at.left - 12, innerWidth - size.width - 12))}px`;
  tip.style.top = `${at.top - size.height - 8 > 0 ? at.top - size.height - 8 : at.bottom + 8}px`;
};
const hideTip = () => { tip.hidden = true; };
for (const [entering, leaving] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  on(document, entering, (event) => { const link = event.target.closest?.("a.cite[data-quote]"); if (link) showTip(link); });
  on(document, leaving, (event) => { if (event.target.closest?.("a.cite")) hideTip(); });
}

/* The list of conversations. */
const list = () => $("#conversation-list");
const fillList = () => {
  const root = list(), all = kept();
  if (!root) return;
  const ids = Object.keys(all).sort((a, b) => all[b].at - all[a].at);
  root.replaceChildren(...ids.map((id) => {
    const row = make("li", { "data-id": id, ...(id === sessionStorage.getItem(TAB) ? { class: "current" } : {}) });
    row.append(make("button", { type: "button", class: "kept-open", "data-kept": "open" }, all[id].name));
    for (const [what, label] of [["rename", "Rename"], ["markdown", "Markdown"], ["json", "JSON"], ["delete", "Delete"]])
      row.append(make("button", { type: "button", class: "tool", "data-kept": what, "aria-label": `${label}: ${all[id].name}` }, label));
    return row;
  }));
  if (!ids.length) root.append(make("li", { class: "quiet" }, "None yet. They stay in this browser."));
};
const rename = (row, all, id) => {
  const field = make("input", { type: "text", maxlength: "80", "aria-label": "Name of the conversation" });
  field.value = all[id].name;
  row.querySelector(".kept-open").replaceWith(field);
  field.focus();
  field.select();
  const done = (save) => {
    if (save && field.value.trim()) { const now = kept(); now[id].name = field.value.trim(); keep(now); }
    fillList();
    list().querySelector(`[data-id="${CSS.escape(id)}"] [data-kept="rename"]`)?.focus();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); done(true); }
    if (event.key === "Escape") { event.stopPropagation(); done(false); }
  });
};
const onKept = (button) => {
  const row = button.closest("li"), id = row.dataset.id, all = kept(), what = button.dataset.kept;
  if (what === "open" && !stopFirst()) { act("restore", { record: JSON.stringify(all[id].record) }); $("#conversations").close(); }
  if (what === "rename") rename(row, all, id);
  if (what === "json") download(`${all[id].name}.json`, JSON.stringify({ ...all[id].record, name: all[id].name }, null, 1), "application/json");
  if (what === "markdown") act("export", { record: JSON.stringify(all[id].record), name: all[id].name });
  if (what === "delete") {
    delete all[id];
    keep(all);
    fillList();
    if (id === sessionStorage.getItem(TAB)) act("fresh");
    ($("#conversation-list button") || $("#conversations .close"))?.focus();
  }
};
const importFile = async (file) => {
  if (!file) return;
  if (file.size > 1000000) { say(`This file has ${file.size.toLocaleString("en")} bytes; 1,000,000 is the most that can be read.`); return; }
  const text = await file.text();
  try { importedName = String(JSON.parse(text).name || "").slice(0, 80); } catch { importedName = ""; }
  act("restore", { record: text, imported: true });
  $("#conversations").close();
};
const stopFirst = () => { if (busy()) say("Stop the answer first."); return busy(); };

const local = {
  copy: async (button) => {
    try { await navigator.clipboard.writeText(button.dataset.text); announcer.textContent = "Copied."; button.textContent = "Copied"; }
    catch { say("This browser does not let the page copy."); }
  },
  conversations: () => { fillList(); $("#conversations").showModal(); },
  "close-conversations": () => $("#conversations").close(),
  "open-panel": () => openPanel(),
  "close-panel": () => closePanel(),
  import: () => $("#import-file").click(),
  fresh: () => { if (!stopFirst()) { $("#conversations")?.close(); act("fresh"); } },
  theme: () => {
    localStorage.setItem("advisor.theme", document.body.classList.contains("dark") ? "light" : "dark");
    document.body.classList.toggle("dark");
  },
  ask: (button) => { if (!stopFirst()) trigger("submit", { question: button.dataset.question }); },
  retry: () => { if (!stopFirst()) trigger("submit", { again: true }); },
  edit: () => { if (!stopFirst()) act("edit"); },
  reason: (button) => {
    const box = button.closest(".reason");
    act("reason", { turn: Number(button.dataset.turn), reason: $("select", box).value, comment: $("input", box).value });
  },
};
on(document, "click", (event) => {
  const keptButton = event.target.closest("[data-kept]");
  if (keptButton) { onKept(keptButton); return; }
  const source = event.target.closest("[data-action]");
  if (!source) return;
  event.preventDefault();
  hideTip();
  const action = source.dataset.action;
  if (local[action]) { if (action === "open-panel") opener = source; local[action](source); return; }
  opener = source;
  const { turn, number, rating, passage, anchor } = source.dataset;
  const fields = { rating, passage, anchor, source: source.dataset.source, within: $(".guide-terms")?.textContent.split(" · ")[0] };
  if (turn) fields.turn = Number(turn);
  if (number) fields.number = Number(number);
  act(action, fields);
});
on(document, "change", (event) => {
  if (event.target.id !== "import-file") return;
  importFile(event.target.files[0]);
  event.target.value = "";
});
const asking = () => { const typed = $("#question textarea")?.value.trim(); if (typed) sessionStorage.setItem(ASKING, typed); };
on(document, "click", (event) => { if (event.target.closest("#ask")) asking(); }, { capture: true });
on(document, "keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && event.target.closest("#question")) asking(); }, { capture: true });
on(document, "keydown", (event) => {
  if (event.key === "Escape") { hideTip(); if (narrow() && isOpen()) closePanel(); }
  if (event.key === "/" && !event.target.closest("input, textarea, select, [contenteditable]")) {
    event.preventDefault();
    $("#question textarea")?.focus();
  }
});

/* Gradio leaves its groups of checkboxes without a name, and tabs that point at nothing. */
const mend = () => {
  for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
    const label = $("[data-testid='block-info'], legend, span", group)?.textContent.trim();
    if (label) group.setAttribute("aria-label", label);
  }
  for (const tab of document.querySelectorAll('[role="tab"][aria-controls=""]')) tab.removeAttribute("aria-controls");
};
new MutationObserver(mend).observe($(".gradio-container") || document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-controls"] });
mend();

/* A new question is brought to the top of the view and kept there while its answer comes, unless the reader scrolls. */
const exchanges = () => [...document.querySelectorAll("#transcript .exchange")];
let shown = exchanges().length, following = false, settled;
for (const moved of ["wheel", "touchmove"]) on(window, moved, () => { following = false; }, { passive: true });
const toNewest = (tries = 40) => {
  const newest = exchanges().at(-1);
  if (newest && !newest.offsetParent && tries) setTimeout(() => toNewest(tries - 1), 50); // behind another tab for a moment
  else if (newest) newest.scrollIntoView({ block: "start" });
};
const follow = () => {
  const count = exchanges().length, growing = $(".exchange.growing");
  if (count > shown) following = true;
  shown = count;
  if (following) {
    toNewest();
    clearTimeout(settled);
    if (!growing) settled = setTimeout(() => { toNewest(); following = false; }, 300);
  }
};
/* The question under way is kept for the case that the advisor dies before it has answered. */
const talk = $("#transcript");
const remember = () => {
  const growing = $(".exchange.growing"), question = growing && $(".question", growing)?.textContent;
  if (question) sessionStorage.setItem(ASKING, question);
  else if ($(".exchange, .welcome", talk)) sessionStorage.removeItem(ASKING);
};
if (talk) new MutationObserver(remember).observe(talk, { childList: true, subtree: true, characterData: true });
/* Gradio may put a new transcript in place of the first one, so the whole page is watched. */
new MutationObserver(follow).observe($(".gradio-container") || document.body, { childList: true, subtree: true, characterData: true });

/* Is the advisor still there? It may have been stopped in the window that runs it. And did it hear that we are here?
   When too many came at once it has sent us away: we come back a little later, not all at the same moment. */
let unheard = 0;
const patience = 4 + Math.random() * 4;
const watchOver = setInterval(async () => {
  if (life.signal.aborted) { clearInterval(watchOver); return; }
  if (document.hidden) return;
  try {
    const answer = await fetch("healthz", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!lost.hidden && answer.ok) location.reload();
    unheard = answer.ok && $("[data-unheard]") ? unheard + 1 : 0;
    if (unheard > patience) location.reload();
  } catch {
    lost.textContent = "The advisor has stopped. This page goes on by itself when it is running again; your question is kept.";
    lost.hidden = false;
  }
}, 2000);
