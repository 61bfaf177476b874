// Keeps the parts of a page fresh. Every [data-fragment] is asked for with the ETag it was last served with; a 304
// changes nothing. The one with [data-pace] sets the rhythm: seconds until the next look, and a [data-version]
// that tells whether the others have news. All are looked at every 30 seconds, because prices move.
const SLOW = 30_000;
const tags = new WeakMap();
const wanted = new WeakMap(); // what each part was asked for last: an older answer comes too late
let version = null;
let lastRound = Date.now();

async function refresh(part, url = part.dataset.fragment) {
  wanted.set(part, url);
  const headers = { "X-Requested-With": "fetch" };
  if (url === part.dataset.fragment && tags.has(part)) headers["If-None-Match"] = tags.get(part);
  const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  if (answer.redirected) return location.reload(); // logged out: the log-in page takes over
  if (answer.status === 304 || !answer.ok) return undefined;
  const html = await answer.text();
  if (wanted.get(part) !== url) return undefined;
  part.dataset.fragment = url;
  tags.set(part, answer.headers.get("ETag"));
  swap(part, html);
  return undefined;
}

function swap(part, html) {
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
  part.innerHTML = html;
  part.querySelectorAll(".scroll").forEach((box, place) => (box.scrollLeft = scrolled[place] ?? 0));
  if (focused) part.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  part.dispatchEvent(new CustomEvent("fragment", { bubbles: true }));
}

function pacer() {
  return document.querySelector("[data-pace]");
}

async function round() {
  const conductor = pacer()?.closest("[data-fragment]");
  try {
    if (!document.hidden && conductor) {
      await refresh(conductor);
      const news = pacer()?.dataset.version;
      if (news !== version || Date.now() - lastRound >= SLOW) {
        version = news;
        lastRound = Date.now();
        const others = [...document.querySelectorAll("[data-fragment]")].filter((part) => part !== conductor);
        await Promise.all(others.map((part) => refresh(part)));
      }
    }
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline"); // the next round tries again
  }
  setTimeout(round, 1000 * Number(pacer()?.dataset.pace ?? 30));
}

// Links that only change one part: the picker's. The address bar follows, and so does the back button.
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-part]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  const part = document.getElementById(link.dataset.part);
  if (!part) return;
  event.preventDefault();
  history.pushState({}, "", link.href);
  shown = location.search;
  choose(link);
  await refresh(part, link.dataset.url).catch(() => location.assign(link.href));
});

function choose(link) {
  for (const other of link.parentElement.children) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
}

// The back button; a jump to the content is no change of what is shown.
let shown = location.search;
addEventListener("popstate", () => shown === location.search || location.reload());
document.addEventListener("visibilitychange", () => document.hidden || (lastRound = 0));

if (pacer()) {
  version = pacer().dataset.version;
  setTimeout(round, 1000 * Number(pacer().dataset.pace));
}
