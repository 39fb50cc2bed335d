/* global document, window, EventSource, HTMLElement, DOMParser, fetch, setInterval, clearInterval */
// Makes pages live: local times, clocks that run, what changed in an intent, the lines of its logs. Every page reads without it.

const keptLines = 5000;

function localTimes(root) {
  for (const element of root.querySelectorAll('time[datetime]:not([data-since])')) {
    const at = new Date(element.dateTime);
    element.title = at.toISOString();
    const sameDay = at.toDateString() === new Date().toDateString();
    element.textContent = sameDay ? at.toLocaleTimeString() : at.toLocaleString();
  }
}

function elapsed(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function runClocks() {
  for (const element of document.querySelectorAll('time[data-since]'))
    element.textContent = elapsed(Date.now() - Date.parse(element.dataset.since));
}

// Fragments come from our own server, encoded there; the page's policy lets nothing inside them run.
function replaceFragment(name, text) {
  for (const element of document.querySelectorAll('[data-fragment]')) {
    if (element.dataset.fragment !== name) continue;
    element.innerHTML = text;
    localTimes(element);
  }
  runClocks();
}

function scrolledDown(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 40;
}

function appendLog({ build, html }) {
  for (const element of document.querySelectorAll('[data-log]')) {
    if (element.dataset.log !== build) continue;
    const follow = scrolledDown(element);
    element.insertAdjacentHTML('beforeend', html);
    while (element.childElementCount > keptLines) element.firstElementChild.remove();
    if (follow) element.scrollTop = element.scrollHeight;
  }
}

function follow(page) {
  const source = new EventSource(page.dataset.events);
  const offline = page.querySelector('.offline');
  source.addEventListener('open', () => (offline.hidden = true));
  source.addEventListener('error', () => (offline.hidden = false));
  source.addEventListener('state', ({ data }) => {
    for (const [name, text] of Object.entries(JSON.parse(data))) replaceFragment(name, text);
  });
  source.addEventListener('log', ({ data }) => appendLog(JSON.parse(data)));
  source.addEventListener('end', () => source.close());
  source.addEventListener('revoked', () => {
    source.close();
    window.location.reload();
  });
}

function refresh(main) {
  const load = async () => {
    if (document.hidden || window.getSelection()?.type === 'Range') return;
    const answer = await fetch(window.location.href).catch(() => null);
    if (answer === null || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
    if (fresh === null) return;
    localTimes(fresh);
    main.innerHTML = fresh.innerHTML;
    runClocks();
    if (fresh.dataset.refresh === undefined) clearInterval(timer);
  };
  const timer = setInterval(load, Number(main.dataset.refresh) * 1000);
}

localTimes(document);
runClocks();
setInterval(runClocks, 1000);
for (const log of document.querySelectorAll('[data-log]')) log.scrollTop = log.scrollHeight;
const live = document.querySelector('[data-events]');
if (live instanceof HTMLElement) follow(live);
const main = document.querySelector('main[data-refresh]');
if (main instanceof HTMLElement) refresh(main);
