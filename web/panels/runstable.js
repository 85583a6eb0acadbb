// panels/runstable.js: the table of runs: its head that sorts, groups of a kind, trials beneath their study, rows that may be selected.

import { get } from '../lib/api.js';
import { h, setText, throttled } from '../lib/dom.js';
import { duration, loss } from '../lib/format.js';
import { COLUMNS, groupedByKind, span } from '../lib/table.js';
import { Row, runHref } from './runrow.js';

const HEADS = [['pick'], ['name'], ['kind'], ['status'], ['progress'], ['best', 'num'], ['curve'], ['created', 'num'], ['time', 'num'],
  ['menu', 'control']];
const AT_ONCE = 50; // curves asked for in one request

/** Children of `parent` in this order, moving as few of them as that takes: one that is moved loses its focus. */
function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const node of [...parent.children]) if (!wanted.has(node)) node.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

export class RunsTable {
  /** on: {sort(column), picked(jobs), menu(job, button), redraw(), failed(problem)}. */
  constructor(signal, on) {
    Object.assign(this, { signal, on, rows: new Map(), groups: new Map(), ids: [] });
    this.closed = new Set(); // groups, by key
    this.opened = new Map(); // studies, by id → their trials
    this.picked = new Set(); // ids
    this.heads = new Map();
    this.all = h('input', { type: 'checkbox', 'aria-label': 'Select all that are shown', onchange: () => this.pickAll(this.all.checked) });
    this.bestHead = h('span', { class: 'metric' });
    this.table = h('table', { class: 'runs', role: 'table', 'aria-label': 'Runs' },
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, HEADS.map(([name, cls]) => this.head(name, cls)))));
    this.plain = h('tbody', { role: 'rowgroup' });
    this.table.append(this.plain);
    this.table.addEventListener('click', (event) => this.onClick(event));
    this.seen = new Set();
    this.observer = new IntersectionObserver((entries) => this.onSeen(entries), { rootMargin: '200px' });
    this.askCurves = throttled(() => this.readCurves(), 1500);
    signal.addEventListener('abort', () => this.close());
  }

  get node() {
    return this.table;
  }

  head(name, cls = '') {
    if (name === 'pick') return h('th', { scope: 'col', role: 'columnheader', class: 'pick' }, this.all);
    if (name === 'curve') return h('th', { scope: 'col', role: 'columnheader', class: 'curve' }, 'Curve');
    if (name === 'menu') return h('th', { scope: 'col', role: 'columnheader', class: `menu ${cls}` }, h('span', { class: 'offscreen' }, 'Actions'));
    const arrow = h('span', { class: 'arrow', 'aria-hidden': 'true' });
    const node = h('th', { scope: 'col', role: 'columnheader', class: `${name} ${cls}` },
      h('button', { type: 'button', class: 'sort', onclick: () => this.on.sort(name) }, COLUMNS[name].text,
        name === 'best' && this.bestHead, arrow));
    this.heads.set(name, { node, arrow });
    return node;
  }

  sayOrder(column, down) {
    for (const [name, { node, arrow }] of this.heads) {
      const here = name === column;
      if (here) node.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else node.removeAttribute('aria-sort');
      setText(arrow, here ? (down ? '▼' : '▲') : '');
    }
  }

  /** jobs in their order; group: '' or 'kind'; kinds: their rows by name; metric: what all best values are of. */
  set(jobs, { group, kinds, metric }) {
    this.kinds = kinds;
    this.now = Date.now();
    setText(this.bestHead, metric ? ` ${metric}` : '');
    const focused = this.table.contains(document.activeElement) ? document.activeElement : null;
    const kept = new Set();
    const bodies = group ? groupedByKind(jobs).map((each) => this.group(each, kept)) : [this.plainRows(jobs, kept)];
    this.prune(kept);
    arrange(this.table, [this.table.tHead, ...bodies]);
    if (focused !== document.activeElement) focused?.focus({ preventScroll: true });
    this.sayPicked();
    this.askCurves();
  }

  plainRows(jobs, kept) {
    arrange(this.plain, jobs.flatMap((job) => this.nodesOf(job, kept)));
    this.ids = [...kept];
    return this.plain;
  }

  group({ key, jobs, running, best, seconds }, kept) {
    if (!this.groups.has(key)) this.groups.set(key, this.makeGroup(key));
    const { body, head, button, sum } = this.groups.get(key);
    const shut = this.closed.has(key);
    button.setAttribute('aria-expanded', String(!shut));
    setText(sum, [`${jobs.length} ${jobs.length === 1 ? 'run' : 'runs'}`, running && `${running} running`,
      best && `best ${best.metric} ${loss(best.value)}`, seconds > 0 && `${duration(seconds * 1000)} in all`].filter(Boolean).join(' · '));
    arrange(body, [head, ...(shut ? [] : jobs.flatMap((job) => this.nodesOf(job, kept)))]);
    this.ids = [...kept];
    return body;
  }

  makeGroup(key) {
    const toggle = () => {
      if (!this.closed.delete(key)) this.closed.add(key);
      this.on.redraw();
    };
    const button = h('button', { type: 'button', class: 'group-toggle', 'aria-expanded': 'true', onclick: toggle }, key);
    const sum = h('span', { class: 'quiet' });
    const head = h('tr', { class: 'group-head', role: 'row' },
      h('th', { colspan: String(HEADS.length), scope: 'rowgroup', role: 'rowheader' }, button, sum));
    return { body: h('tbody', { role: 'rowgroup' }, head), head, button, sum };
  }

  /** The row of a job, and of its trials where they are open. */
  nodesOf(job, kept) {
    const row = this.row(job, kept);
    const trials = this.opened.get(job.id);
    row.trials.setAttribute('aria-expanded', String(Boolean(trials)));
    return [row.node, ...(trials ?? []).map((trial) => this.row(trial, kept, true).node)];
  }

  row(job, kept, child = false) {
    let row = this.rows.get(job.id);
    if (!row) {
      row = new Row(job, { child });
      this.rows.set(job.id, row);
      this.observer.observe(row.node);
    }
    row.update(job, this.kinds.get(job.kind), this.now);
    row.pick(this.picked.has(job.id));
    kept.add(job.id);
    return row;
  }

  prune(kept) {
    for (const [id, row] of this.rows) {
      if (kept.has(id)) continue;
      this.observer.unobserve(row.node);
      this.seen.delete(row);
      this.rows.delete(id);
      this.picked.delete(id);
    }
  }

  // --- trials --------------------------------------------------------------------------------------------------------------

  async toggleTrials(id) {
    if (this.opened.delete(id)) this.on.redraw();
    else await this.readTrials(id);
  }

  async readTrials(id) {
    const page = await get(`v1/jobs?study=${id}&limit=100&order=asc`, this.signal);
    this.opened.set(id, page.data);
    this.on.redraw();
  }

  // --- selection -----------------------------------------------------------------------------------------------------------

  onClick(event) {
    const row = this.rows.get(event.target.closest('tr')?.dataset.id);
    if (!row) return;
    const { target } = event;
    if (row.menu.contains(target)) this.on.menu(row.job, row.menu);
    else if (row.trials.contains(target)) this.toggleTrials(row.id).catch(this.on.failed);
    else if (target.closest('.pick')) this.pickBy(row, event);
    else if (!target.closest('a, button, input') && !getSelection().toString()) location.hash = runHref(row.job);
  }

  // The whole cell is the box's: a finger is wider than it.
  pickBy(row, event) {
    const picked = event.target === row.check ? row.check.checked : !this.picked.has(row.id);
    const ids = event.shiftKey ? span(this.ids, this.last, row.id) : [row.id];
    this.pick(ids, picked);
    this.last = row.id;
  }

  pick(ids, picked) {
    for (const id of ids) {
      if (picked) this.picked.add(id);
      else this.picked.delete(id);
      this.rows.get(id)?.pick(picked);
    }
    this.sayPicked();
  }

  pickAll(picked) {
    this.pick(this.ids, picked);
  }

  sayPicked() {
    const count = this.picked.size;
    this.all.checked = count > 0 && count === this.ids.length;
    this.all.indeterminate = count > 0 && count < this.ids.length;
    this.on.picked([...this.rows.values()].filter((row) => this.picked.has(row.id)).map((row) => row.job));
  }

  // --- keys ----------------------------------------------------------------------------------------------------------------

  /** The row that has the focus. */
  get current() {
    const { activeElement } = document;
    return this.table.contains(activeElement) ? this.rows.get(activeElement.closest('tr')?.dataset.id) : undefined;
  }

  move(direction) {
    if (!this.ids.length) return false;
    const at = this.current ? this.ids.indexOf(this.current.id) : -1;
    const next = this.ids[at < 0 ? 0 : Math.max(0, Math.min(this.ids.length - 1, at + direction))];
    this.rows.get(next).link.focus();
    return true;
  }

  // --- curves: of the rows that are seen -----------------------------------------------------------------------------------

  onSeen(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.rows.get(target.dataset.id);
      if (row && isIntersecting) this.seen.add(row);
      else this.seen.delete(row);
    }
    this.askCurves();
  }

  async readCurves() {
    const rows = [...this.seen].filter((row) => row.stale && this.rows.get(row.id) === row);
    while (rows.length) await this.readSome(rows.splice(0, AT_ONCE)).catch(() => {});
  }

  async readSome(rows) {
    const steps = rows.map((row) => row.job.progress.step);
    const names = [...new Set(rows.map((row) => row.headline))];
    const { data } = await get(`v1/metrics?jobs=${rows.map((row) => row.id)}&names=${names}&by=step&points=60`, this.signal);
    rows.forEach((row, i) => row.draw(data[row.id]?.series[row.headline]?.value ?? [], steps[i]));
  }

  close() {
    this.observer.disconnect();
    this.askCurves.cancel();
  }
}
