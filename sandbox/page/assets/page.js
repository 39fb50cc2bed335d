/* global document, window, EventSource, DOMParser, fetch, FormData, URLSearchParams */
// Refreshes the page when the sandbox says that something changed, and leaves alone what is being typed.

/** A field or an opened detail belongs to the reader. */
function isReaders(element) {
  return element.matches('input:not([type=hidden]), textarea, select');
}

function copyAttributes(from, to) {
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
}

/** Children are matched by id, else by their place among those without one. */
function childFor(parent, wanted, at) {
  if (wanted.id) return [...parent.children].find((child) => child.id === wanted.id);
  const candidate = parent.childNodes[at];
  return candidate && candidate.nodeName === wanted.nodeName && !candidate.id ? candidate : undefined;
}

function update(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeType !== 1) {
    from.nodeValue = to.nodeValue;
    return;
  }
  if (isReaders(from)) return;
  copyAttributes(from, to);
  [...to.childNodes].forEach((wanted, at) => {
    const known = childFor(from, wanted, at);
    const place = from.childNodes[at] ?? null;
    if (!known) from.insertBefore(document.importNode(wanted, true), place);
    else {
      if (known !== place) from.insertBefore(known, place);
      update(known, wanted);
    }
  });
  while (from.childNodes.length > to.childNodes.length) from.lastChild.remove();
}

async function refresh() {
  const answer = await fetch(window.location.pathname, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  update(document.getElementById('main'), fresh.getElementById('main'));
}

function follow(address) {
  const events = new EventSource(address);
  events.onmessage = () => void refresh();
  // After a restart of the sandbox the page may have missed something.
  events.onopen = () => void refresh();
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.classList.contains('visitor')) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  void fetch(form.action, { method: 'POST', body }).then(async (answer) => {
    if (!answer.ok) return window.alert(await answer.text());
    form.reset();
    return refresh();
  });
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
});

const source = document.querySelector('[data-events]');
if (source) follow(source.dataset.events);
