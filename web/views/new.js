// views/new.js: a new run: the form of a kind and the same as JSON, checked by the daemon as you type.
//
// #/new/<kind>                                    from the kind's first preset; ?dataset=<name>: on that data set
// #/new/<kind>?like=<job>                         with the parameters of a run
// #/new/<kind>?from=<job>@<checkpoint>            on a finished run, for kinds that go on from one; else a fork
// #/new/<kind>?fork=<job>@<checkpoint>            the run itself goes on from there: only what a fork may change is enabled

import { curl, get, post, query } from '../lib/api.js';
import { commandBox, complain, h, newId, setText, show, throttled } from '../lib/dom.js';
import { Field, ParamsForm } from '../lib/form.js';
import { big, bytes, count, duration } from '../lib/format.js';
import { missingDataset } from '../lib/missing.js';
import { request, same, shortBase } from '../lib/request.js';
import { commonField, DatasetField, DependsField, FromField } from '../panels/new_fields.js';
import { EstimatePanel, JsonPanel } from '../panels/new_json.js';
import { BaseField, SpaceField } from '../panels/new_space.js';

const CHECK_MS = 250;
const LATE_MS = 300; // what takes longer says that it is coming
const MORE = ['seeds', 'priority', 'time_limit_s', 'max_retries'];
const FORKED = 'stays as it is in a fork: the saved state has its form by it';

const SOON_MS = 50; // what takes less is not worth a figure

const known = (value) => value !== null && value !== undefined && value >= 0;

/** The rows of an estimate; `done`: epochs that a fork has behind it; `unit`: what an epoch of this kind is. */
function estimateRows({ estimate }, { done = 0, unit = 'epoch' } = {}) {
  const { parameters, memory_bytes: memory, steps_per_epoch: steps, flops_per_epoch: flops, seconds_per_epoch: seconds, epochs } = estimate;
  const time = (ms) => (ms < SOON_MS ? 'under 0.1 s' : `${estimate.measured ? '' : 'about '}${duration(ms)}`);
  const total = known(seconds) ? time(1000 * seconds * (epochs - done)) : 'not known yet';
  return [
    unit !== 'epoch' && ['runs', count(epochs)],
    parameters > 0 && ['parameters', count(parameters)],
    memory > 0 && ['memory', bytes(memory)],
    unit === 'epoch' && known(steps) && ['steps per epoch', count(steps)],
    known(flops) && flops > 0 && [`work per ${unit}`, big(flops, 'FLOP')],
    known(seconds) && [`time per ${unit}`, time(1000 * seconds)],
    [done ? 'time from there on' : 'time in all', total],
  ].filter(Boolean);
}

/** Of a time that is not known, or not for sure: what would tell it. */
function remedyOf({ seconds_per_epoch: seconds, measured }, kind) {
  if (measured) return '';
  if (!known(seconds)) return `How long a run of kind ${kind} takes here is not known before the first has begun.`;
  return `A guess by the speed of this machine, within a factor of three: no run of kind ${kind} has told yet. The first epoch will.`;
}

const refOf = (text) => {
  const [, job, checkpoint] = /^(.*?)(?:@([^@]*))?$/.exec(text);
  return { job, checkpoint: checkpoint || 'best' };
};

class NewView {
  constructor(root, { id, query: asked, signal, title }) {
    Object.assign(this, { root, wanted: id, asked, signal, title, extra: {}, raw: null, turn: 0, taking: 0 });
    title('New run');
    this.check = throttled(() => this.validate(), CHECK_MS);
    this.changed = () => {
      if (this.taking) return; // the form follows what was typed as JSON
      this.raw = null;
      this.tell();
    };
    signal.addEventListener('abort', () => this.check.cancel());
  }

  async open() {
    const late = setTimeout(() => this.root.replaceChildren(h('p', { class: 'quiet' }, 'Loading the form…')), LATE_MS);
    try {
      await this.read();
    } finally {
      clearTimeout(late);
    }
    this.build();
    const { kind } = this.kinds.find((row) => row.kind === (this.source?.kind ?? this.wanted)) ?? this.kinds[0];
    this.kindInput.value = kind;
    await this.chooseKind(kind);
    await this.takeSource();
  }

  async read() {
    const [kinds, datasets, active] = await Promise.all([get('v1/kinds', this.signal), get('v1/datasets', this.signal),
      get('v1/jobs?status=queued,running,paused&limit=20', this.signal)]);
    Object.assign(this, { kinds: kinds.data, datasets: datasets.data, active: active.data });
    await this.readSource();
  }

  /** The run that the address names, and what is meant with it. */
  async readSource() {
    const row = this.kinds.find(({ kind }) => kind === this.wanted);
    const [ref, from] = [this.asked.get('fork') ?? this.asked.get('like'), this.asked.get('from')];
    if (ref) this.source = await get(`v1/jobs/${encodeURIComponent(refOf(ref).job)}`, this.signal);
    if (this.asked.has('fork')) this.fork = refOf(ref);
    if (!from || ref) return;
    const { job, checkpoint } = refOf(from);
    const given = await get(`v1/jobs/${encodeURIComponent(job)}`, this.signal);
    if (row?.from?.includes(given.kind)) this.from = `${given.name || given.id}@${checkpoint}`;
    else [this.source, this.fork] = [given, { job, checkpoint }];
  }

  // --- what is seen ----------------------------------------------------------------------------------------------------

  build() {
    this.name = commonField('name', this.changed);
    this.seed = commonField('seed', this.changed);
    this.dataset = new DatasetField(this.datasets, this.changed, this.signal);
    this.more = [...MORE.map((name) => commonField(name, this.changed)), new DependsField(this.active, this.changed)];
    this.presets = h('div', { class: 'presets' });
    this.place = h('div');
    this.fromPlace = h('div');
    this.problem = h('p', { class: 'error', role: 'alert', hidden: true });
    this.estimate = new EstimatePanel();
    this.submit = h('button', { type: 'submit', class: 'primary big control' }, this.fork ? 'Start fork' : 'Start run');
    this.command = commandBox(() => (this.kind ? curl(this.path, this.body()) : ''), 'this run from a terminal');
    this.json = new JsonPanel((value) => this.onJson(value));
    this.missing = missingDataset();
    this.missing.refresh(this.signal).catch(() => {});
    this.form = h('form', { novalidate: true, onsubmit: (event) => this.send(event), onkeydown: (event) => this.key(event) },
      h('div', { class: 'form-main' }, h('fieldset', { class: 'card' }, h('legend', {}, this.fork ? 'From' : 'Run'), this.runFields()),
        this.place), this.side());
    const heading = this.fork ? `Fork of ${this.source.name || this.source.id}` : 'New run';
    this.title(heading);
    this.root.replaceChildren(h('div', { class: 'head' }, h('h1', {}, heading)), this.missing.node, this.form);
  }

  side() {
    return h('aside', { class: 'card form-side', 'aria-label': 'Check and start' }, h('h2', {}, this.fork ? 'This fork' : 'This run'),
      this.estimate.node, this.problem,
      h('div', { class: 'start' }, this.submit), h('h3', {}, 'From a terminal'), this.command.node, this.json.node);
  }

  runFields() {
    if (this.fork) return [this.kindField(), h('div', { class: 'fields' }, this.checkpointField(), this.name.node,
      this.more.find(({ name }) => name === 'priority').node)];
    const others = h('details', { class: 'more' }, h('summary', {}, 'Repeats, priority, limits, what it waits for'),
      h('div', { class: 'fields' }, this.more.map(({ node }) => node)));
    this.others = others;
    this.suggest = h('button', { type: 'button', class: 'small suggest', hidden: true,
      onclick: () => { this.name.set(this.suggested()); this.changed(); } });
    this.name.help.before(this.suggest);
    return [this.kindField(), this.fromPlace, this.presets, h('div', { class: 'fields' }, [this.name, this.dataset, this.seed]
      .map(({ node }) => node)), others];
  }

  kindField() {
    const names = this.kinds.map((row) => row.kind);
    this.kindInput = h('select', { id: 'kind', disabled: Boolean(this.fork), onchange: () => this.chooseKind(this.kindInput.value)
      .catch(complain) },
      names.map((name) => h('option', { value: name }, name)));
    this.kindHelp = h('p', { class: 'hint' });
    return h('div', { class: 'field' }, h('label', { for: 'kind' }, 'kind'), this.kindInput, this.kindHelp);
  }

  checkpointField() {
    this.checkpoint = new Field('checkpoint', { type: 'string', enum: ['best', 'last'], default: 'best', pointer: '#/checkpoint',
      description: `Of ${this.source.name || this.source.id}: its state after that epoch.` },
      () => { this.rebaseFork().catch(complain); this.changed(); });
    return this.checkpoint.node;
  }

  // --- kind, preset, source --------------------------------------------------------------------------------------------

  async chooseKind(name) {
    this.turn += 1;
    const { turn } = this;
    const kind = await get(`v1/kinds/${name}`, this.signal);
    const from = kind.from && !this.fork ? await FromField.of(kind, this.changed, this.signal) : null;
    if (turn !== this.turn) return;
    Object.assign(this, { kind, from_: from, extra: {} });
    setText(this.kindHelp, kind.description ?? '');
    if (from && this.from) from.write(this.from);
    if (this.asked.has('dataset')) this.dataset.set(this.asked.get('dataset'));
    this.fromPlace.replaceChildren(...(from ? [from.node] : []));
    this.params = new ParamsForm(kind.params, this.changed, (field, row, changed) => this.ownField(field, row, changed));
    this.place.replaceChildren(this.params.node);
    this.presets.replaceChildren(h('span', { class: 'label', id: 'preset-label' }, 'preset'),
      h('div', { class: 'choices', role: 'radiogroup', 'aria-labelledby': 'preset-label' },
        kind.presets.map((preset) => this.presetChoice(preset))));
    this.choosePreset(kind.presets.find((preset) => preset.name === kind.default_preset) ?? kind.presets[0]);
  }

  /** A kind whose trials are runs of another has a space and a base: JSON to the schema, rows to people. */
  ownField(name, row, changed) {
    if (!this.kind.results.includes('trials')) return null;
    this.names ??= newId('space-names');
    if (name === 'base') {
      return new BaseField(name, row, changed, { kinds: this.kinds, signal: this.signal, onKind: (kind) => this.setBase(kind) });
    }
    if (name !== 'space') return null;
    const list = h('datalist', { id: this.names });
    this.place.append(list);
    const field = new SpaceField(name, row, changed, { names: this.names,
      rowOf: (param) => this.base?.params.properties[param.split('.')[0]] });
    field.node.append(list);
    this.spaceNames = list;
    return field;
  }

  setBase(kind) {
    this.base = kind;
    this.spaceNames?.replaceChildren(...[...Object.keys(kind.params.properties), 'seed'].map((one) => h('option', { value: one })));
  }

  presetChoice(preset) {
    const input = h('input', { type: 'radio', name: 'preset', value: preset.name,
      checked: preset.name === this.kind.default_preset, onchange: () => this.choosePreset(preset) });
    return h('label', { class: 'choice' }, input, h('span', {}, h('strong', {}, preset.name),
      h('span', { class: 'hint' }, preset.description)));
  }

  choosePreset(preset) {
    this.preset = preset;
    for (const input of this.presets.querySelectorAll('input')) input.checked = input.value === preset.name;
    this.params.rebase(preset.params);
    this.changed();
  }

  async takeSource() {
    if (!this.source) return;
    if (this.fork) return this.takeFork();
    const { kind, preset, dataset, seed, from, name, priority } = this.source;
    const { base } = this.source.params;
    const params = base?.kind ? shortBase(this.source.params, await get(`v1/kinds/${base.kind}`, this.signal)) : this.source.params;
    this.take({ kind, preset, params, dataset, seed, priority, ...(from && { from: `${from.job}@${from.checkpoint ?? 'best'}` }),
      ...(name && { name: `${name}-again` }) });
    this.changed();
  }

  // --- a fork ----------------------------------------------------------------------------------------------------------

  async takeFork() {
    const { data } = await get(`v1/jobs/${this.source.id}/checkpoints?limit=100&order=desc`, this.signal);
    const choices = ['best', 'last', ...data.map(({ epoch }) => String(epoch))].filter((one, i, all) => all.indexOf(one) === i);
    if (!choices.includes(this.fork.checkpoint)) choices.push(this.fork.checkpoint);
    this.checkpoint.input.replaceChildren(...choices.map((one) => h('option', { value: one }, /^\d/.test(one) ? `epoch ${one}` : one)));
    this.checkpoint.set(this.fork.checkpoint);
    this.done = Object.fromEntries(data.map(({ epoch }) => [String(epoch), epoch]));
    this.done.last = data[0]?.epoch ?? 0;
    this.done.best = this.source.best?.epoch ?? this.done.last;
    this.name.set(`${this.source.name || this.kind.kind}-fork`);
    await this.rebaseFork();
    for (const [name, field] of this.params.fields) if (this.kind.params.properties[name].fork === 'fixed') field.lock(FORKED);
    this.changed();
  }

  /** The parameters in force at the checkpoint are what "unchanged" means. Where all epochs are done there, more are proposed. */
  async rebaseFork() {
    const done = this.done[this.checkpoint.value] ?? 0;
    const { epochs } = this.source.params;
    const more = done >= epochs ? { epochs: done + epochs } : {};
    const answer = await query(`v1/jobs/${this.source.id}/fork?validate_only=true`, { checkpoint: this.place_, params: more },
      this.signal).catch(() => ({ params: { ...this.source.params, ...more } }));
    this.params.rebase({ ...answer.params, epochs });
    if (more.epochs) this.params.fields.get('epochs').set(more.epochs);
    this.changed();
  }

  /** The checkpoint as the daemon takes it. */
  get place_() {
    const { value } = this.checkpoint;
    return /^\d+$/.test(value) ? Number(value) : value;
  }

  get path() {
    return this.fork ? `v1/jobs/${this.source.id}/fork` : 'v1/jobs';
  }

  // --- the request -----------------------------------------------------------------------------------------------------

  /** What is sent: what was typed as JSON, or what the form says together with what only JSON can. */
  body() {
    return this.raw ?? (this.fork ? this.forkBody() : this.runBody());
  }

  forkBody() {
    const params = Object.fromEntries([...this.params.fields].filter(([, field]) => field.changed)
      .map(([name, field]) => [name, field.value]));
    const priority = this.more.find(({ name }) => name === 'priority');
    return { checkpoint: this.place_, ...(this.name.value && { name: this.name.value }),
      ...(priority.changed && { priority: priority.value }),
      ...(Object.keys(params).length && { params }), ...this.extra };
  }

  runBody() {
    const more = Object.fromEntries(this.more.filter((field) => field.changed).map((field) => [field.name, field.value]));
    const { params: extraParams, ...extra } = this.extra;
    const body = request(this.kind, { preset: this.preset.name, name: this.name.value, dataset: this.dataset.value, seed: this.seed.value,
      from: this.from_?.value || undefined, params: this.params.values });
    return { ...body, ...more, ...extra, ...(extraParams && { params: { ...body.params, ...extraParams } }) };
  }

  /** The form as a request says it; → nothing of it is lost: what has no field is kept aside. */
  take(body) {
    const fields = this.fork ? [this.name, this.checkpoint, ...this.more]
      : [this.name, this.dataset, this.seed, ...this.more, ...(this.from_ ? [this.from_] : [])];
    const { kind: _, preset, params = {}, ...rest } = body;
    const found = this.kind.presets.find(({ name }) => name === (preset ?? this.kind.default_preset));
    if (found && !this.fork) {
      this.preset = found;
      for (const input of this.presets.querySelectorAll('input')) input.checked = input.value === found.name;
      for (const [name, field] of this.params.fields) field.base = found.params[name] ?? field.base;
    }
    const left = params && typeof params === 'object' && !Array.isArray(params) ? this.params.set(params) : {};
    for (const field of fields) field.set(field.name in rest ? rest[field.name] : field.base);
    const extra = Object.fromEntries(Object.entries(rest).filter(([name]) => !fields.some((field) => field.name === name)));
    this.extra = { ...extra, ...(Object.keys(left).length && { params: left }) };
    if (this.more.some((field) => field.changed) && this.others) this.others.open = true;
  }

  /** Somebody types JSON: the form follows, as far as it can. */
  async onJson(value) {
    this.submit.disabled = this.json.broken !== null;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      if (!this.json.broken) this.json.say([{ pointer: '#', detail: 'a request is an object: {"kind": …}' }]);
      this.submit.disabled = true;
      return;
    }
    this.raw = value;
    this.taking += 1;
    try {
      await this.takeKind(value.kind);
      if (this.raw === value) this.take(value);
    } finally {
      this.taking -= 1;
    }
    this.tell();
  }

  async takeKind(name) {
    const other = this.kinds.find(({ kind }) => kind === name && kind !== this.kind.kind);
    if (!other || this.fork) return;
    this.kindInput.value = other.kind;
    await this.chooseKind(other.kind).catch(complain);
  }

  /** Once for every change: curl line, JSON, name suggestion, and soon the daemon's opinion. */
  tell() {
    if (!this.params) return;
    if (!this.raw) {
      this.json.write(this.body());
      this.submit.disabled = false;
    }
    this.command.update();
    this.sayName();
    this.check();
  }

  /** Kind and its first parameter: what one would call it. */
  suggested() {
    const [first] = Object.values(this.kind.params.properties).some(({ order }) => order === 0) ? [...this.params.fields.values()] : [];
    return first?.schema.type === 'integer' ? `${this.kind.kind}-${first.value}` : this.kind.kind;
  }

  sayName() {
    if (!this.suggest) return;
    const name = this.suggested();
    setText(this.suggest, `call it ${name}`);
    show(this.suggest, !this.name.value && /^[\w.-]+$/.test(name));
  }

  get fields() {
    return [this.name, this.dataset, this.seed, ...this.more, ...[this.from_, this.checkpoint].filter(Boolean), ...this.params.all];
  }

  async validate() {
    if (this.json.broken) return;
    const body = this.body();
    try {
      const answer = await query(`${this.path}?validate_only=true`, body, this.signal);
      if (!same(body, this.body())) return;
      this.showProblem(null);
      this.showEstimate(answer);
    } catch (problem) {
      if (problem.name !== 'AbortError' && same(body, this.body())) this.showProblem(problem);
    }
  }

  showProblem(problem) {
    const errors = problem?.errors ?? [];
    for (const field of this.fields) {
      const mine = errors.find((error) => field.owns(error.pointer));
      field.setError(mine?.detail, mine?.pointer);
    }
    this.json.say(errors);
    setText(this.problem, problem?.message ?? '');
    show(this.problem, problem !== null);
    show(this.estimate.node, problem === null);
  }

  showEstimate(answer) {
    const many = this.kinds.find(({ kind }) => kind === answer.kind)?.results.includes('trials');
    const done = this.fork ? answer.from?.checkpoint ?? 0 : 0;
    this.estimate.set(estimateRows(answer, { done, unit: many ? 'run' : 'epoch' }),
      remedyOf(answer.estimate, many ? answer.params.base?.kind : answer.kind));
    if (!this.fork) setText(this.submit, many && answer.kind !== this.kind.kind ? `Start run on ${answer.estimate.epochs} seeds`
      : 'Start run');
  }

  /** From wherever one types. */
  key(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.form.requestSubmit(this.submit);
  }

  async send(event) {
    event.preventDefault();
    if (this.json.broken) return;
    this.submit.disabled = true;
    try {
      const job = await post(this.path, this.body());
      location.hash = `#/runs/${job.id}`;
    } catch (problem) {
      this.submit.disabled = false;
      this.showProblem(problem);
      const field = this.fields.find((each) => each.input.getAttribute('aria-invalid'));
      field?.input.closest('details')?.setAttribute('open', '');
      if (field) field.input.focus();
      else complain(problem);
    }
  }
}

export function view(root, context) {
  return new NewView(root, context).open();
}
