// views/runs.js: all runs, live: filtered, sorted, selected, steered; or, when there are none, a few to begin with.

import { readOnly } from '../lib/access.js';
import { get, pause } from '../lib/api.js';
import { possible, send, sure, commandOf } from '../lib/commands.js';
import { complain, h, setText, show, throttled } from '../lib/dom.js';
import { percent, progressOf, terminal } from '../lib/format.js';
import { jobs } from '../lib/jobs.js';
import { missingDataset } from '../lib/missing.js';
import { bestOf, filtered, fromQuery, sorted, toQuery, COLUMNS } from '../lib/table.js';
import { RunsBar } from '../panels/runsbar.js';
import { RunsFilter } from '../panels/runsfilter.js';
import { RunsTable } from '../panels/runstable.js';

const PAGE = 50;
const TRIALS_MS = 3000;
const SKELETON_MS = 300;

const KEYS = [['j k', 'from run to run'], ['Enter', 'open'], ['x', 'select; a click with Shift: all between'],
  ['a', 'select all that are shown'], ['Esc', 'select none'], ['/', 'filter'], ['c', 'compare those selected'],
  ['p', 'pause or resume'], ['m', 'what may be done with a run'], ['Del', 'delete']];

class RunsView {
  constructor(root, { signal, title, query, keys }) {
    Object.assign(this, { root, signal, title });
    this.wanted = history.state?.wanted ?? PAGE;
    this.top = history.state?.top ?? 0;
    this.shown = fromQuery(query);
    this.order = new Map(); // id → place, as of the last sorting
    this.table = new RunsTable(signal, {
      sort: (column) => this.sortBy(column), picked: (all) => this.bar.set(all), redraw: () => this.draw(),
      menu: (job, button) => this.openMenuOf(job, button).catch(complain), failed: complain,
    });
    this.bar = new RunsBar(signal, () => this.table.pickAll(false));
    this.filter = new RunsFilter(this.shown, () => this.onFilter());
    this.missing = missingDataset();
    this.build();
    keys(this.keys(), KEYS);
  }

  build() {
    this.more = h('button', { type: 'button', hidden: true, onclick: () => this.showOlder() }, 'Show older runs');
    this.none = h('p', { class: 'none', hidden: true }, 'No run is like that. ',
      h('button', { type: 'button', class: 'small', onclick: () => this.filter.clear() }, 'Clear the filter'));
    this.waiting = h('p', { class: 'quiet', hidden: true }, 'Reading the runs…');
    this.card = h('section', { class: 'card table-card', 'aria-label': 'Runs', hidden: true }, this.filter.node, this.table.node,
      this.none, this.more);
    this.empty = h('div', { hidden: true });
    const head = h('div', { class: 'head' }, h('h1', {}, 'Runs'), h('a', { class: 'button primary control', href: '#/new' }, 'New run'));
    this.root.replaceChildren(head,
      this.missing.node, this.waiting, this.empty, this.card, this.bar.node);
  }

  async open() {
    const patience = setTimeout(() => show(this.waiting, true), SKELETON_MS);
    try {
      const [{ data }] = await Promise.all([get('v1/kinds', this.signal), jobs.want(this.wanted, this.signal)]);
      this.kinds = new Map(data.map((row) => [row.kind, row]));
    } finally {
      clearTimeout(patience);
      show(this.waiting, false);
    }
    this.signal.addEventListener('abort', () => jobs.want(0));
    jobs.watch((what) => this.onReading(what), this.signal);
    this.draw(true);
    if (this.top) scrollTo(0, this.top);
    this.rememberScrolling();
    this.able = !await this.missing.refresh(this.signal).catch(() => true);
    this.starters?.set(this.able);
    this.followTrials();
  }

  // --- what is remembered: what is shown, with the address; how far, with the entry of the history ---------------------------

  saveState() {
    const query = toQuery(this.shown);
    history.replaceState({ wanted: this.wanted, top: scrollY }, '', `${location.pathname}${location.search}#/${query && `?${query}`}`);
  }

  rememberScrolling() {
    const remember = throttled(() => this.saveState(), 250);
    addEventListener('scroll', remember, { signal: this.signal });
    this.signal.addEventListener('abort', remember.cancel);
  }

  async showOlder() {
    this.wanted += PAGE;
    this.saveState();
    await jobs.want(this.wanted, this.signal).catch(complain);
  }

  // --- what is shown -------------------------------------------------------------------------------------------------------

  onReading({ news, lost }) {
    if (lost) this.title('not connected');
    else this.draw(news.length > 0);
  }

  onFilter() {
    this.saveState();
    this.draw(true);
  }

  /** Once for the way that is of use first, again for the other, then as they came. */
  sortBy(column) {
    const { shown } = this;
    const first = Boolean(COLUMNS[column].down);
    if (shown.sort !== column) Object.assign(shown, { sort: column, down: first });
    else if (shown.down === first) shown.down = !first;
    else Object.assign(shown, { sort: '', down: false });
    this.onFilter();
  }

  /** `anew`: in a new order. In between rows keep their places, whatever their values do: nobody can read a list that jumps. */
  draw(anew) {
    const listed = jobs.listed;
    const { shown } = this;
    const matching = filtered(listed, shown);
    if (anew || matching.some((job) => !this.order.has(job.id))) {
      this.order = new Map(sorted(matching, shown.sort, shown.down).map((job, i) => [job.id, i]));
    }
    const rows = shown.sort ? matching.sort((a, b) => this.order.get(a.id) - this.order.get(b.id)) : matching;
    this.table.sayOrder(shown.sort, shown.down);
    this.table.set(rows, { group: shown.group, kinds: this.kinds, metric: bestOf(listed)?.metric });
    this.filter.set(listed);
    this.sayMore(listed, rows);
    this.sayTitle(listed);
  }

  sayMore(listed, rows) {
    const none = !listed.length && !jobs.hidden.size;
    if (none && !this.starters) this.addStarters().catch(complain);
    show(this.empty, none);
    show(this.card, !none);
    show(this.none, !none && !rows.length);
    show(this.table.node, rows.length > 0);
    show(this.more, jobs.more);
    setText(this.more, rows.length < listed.length ? `Only the newest ${listed.length} are looked through. Show older runs`
      : 'Show older runs');
  }

  // What most visits do not need is fetched when it is.
  async addStarters() {
    this.starters = { set() {} };
    const { StartersPanel } = await import('../panels/starters.js');
    this.starters = new StartersPanel([...this.kinds.values()], this.signal);
    this.empty.append(this.starters.node);
    if (this.able !== undefined) this.starters.set(this.able);
  }

  async openMenuOf(job, button) {
    const { RunMenu } = await import('../panels/runmenu.js');
    if (!this.menu) this.root.append((this.menu = new RunMenu(this.signal)).node);
    this.menu.open(job, this.kinds.get(job.kind), button);
  }

  sayTitle(listed) {
    const running = listed.filter((job) => job.status === 'running');
    const lead = running.length === 1 ? percent(progressOf(running[0])) : running.length ? `${running.length} running` : '';
    this.title(lead ? `${lead} · Runs` : 'Runs');
  }

  /** Trials that are shown, as long as their study is at work. */
  async followTrials() {
    for (;;) {
      await pause(TRIALS_MS, this.signal);
      if (this.signal.aborted) return;
      const open = [...this.table.opened.keys()].filter((id) => jobs.known.has(id) && !terminal(jobs.known.get(id)));
      if (document.visibilityState === 'visible') await Promise.all(open.map((id) => this.table.readTrials(id).catch(() => {})));
    }
  }

  // --- keys ----------------------------------------------------------------------------------------------------------------

  keys() {
    const { table } = this;
    const [down, up] = [() => table.move(1), () => table.move(-1)];
    return { j: down, ArrowDown: down, k: up, ArrowUp: up, x: () => this.pickCurrent(), a: () => table.pickAll(true),
      Escape: () => table.pickAll(false), '/': () => this.filter.text.focus(), c: () => this.bar.goCompare(),
      p: () => this.pauseOrResume(), m: () => this.openMenu(), Delete: () => this.deleteThem() };
  }

  pickCurrent() {
    const { current } = this.table;
    if (!current) return false;
    this.table.pick([current.id], !this.table.picked.has(current.id));
    this.table.last = current.id;
    return true;
  }

  /** Those selected; the one that has the focus where none is. */
  get meant() {
    if (this.bar.jobs.length) return this.bar.jobs;
    return this.table.current ? [this.table.current.job] : [];
  }

  pauseOrResume() {
    const name = this.meant.some((job) => possible('pause', job) && job.status !== 'paused') ? 'pause' : 'resume';
    if (!this.meant.length) return false;
    send(name, this.meant);
    return true;
  }

  openMenu() {
    if (readOnly || !this.table.current) return false;
    this.table.current.menu.click();
    return true;
  }

  async deleteThem() {
    const all = this.meant.filter((job) => possible('delete', job));
    if (readOnly || !all.length || !await sure(commandOf('delete'), all.length, this.signal)) return;
    const { current } = this.table;
    if (current) this.table.move(1);
    if (this.table.current === current) this.table.move(-1);
    await send('delete', all);
  }
}

export function view(root, context) {
  return new RunsView(root, context).open();
}
