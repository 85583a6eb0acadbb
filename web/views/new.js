// views/new.js: a new run: the form of a kind, checked by the daemon as you type.

import { curl, get, post, query } from '../lib/api.js';
import { commandBox, complain, h, setText, show, throttled } from '../lib/dom.js';
import { Field, ParamsForm } from '../lib/form.js';
import { big, bytes, count, duration } from '../lib/format.js';
import { missingDataset } from '../lib/missing.js';
import { DEFAULTS, request } from '../lib/request.js';

const CHECK_MS = 250;
const COMMON = {
  name: { type: 'string', default: DEFAULTS.name, pointer: '#/name', description: 'A word to find the run by, in URLs too; may stay empty.' },
  seed: { type: 'integer', default: DEFAULTS.seed, pointer: '#/seed', description: 'Chooses the first weights and the order of images. The same seed gives the same bits.' },
};

function datasetField(datasets, onChange) {
  const names = datasets.map((set) => set.name);
  const choices = names.length ? names : [DEFAULTS.dataset];
  return new Field('dataset', { type: 'string', enum: choices, default: choices.includes(DEFAULTS.dataset) ? DEFAULTS.dataset : choices[0],
    pointer: '#/dataset', description: 'What to learn from; lists the data sets this daemon has found.' }, onChange);
}

/** The finished runs of the kinds that this one goes on from, newest first: by name where that means this very run. */
async function runsOf(kinds, signal) {
  const pages = await Promise.all(kinds.map((kind) => get(`v1/jobs?kind=${kind}&status=succeeded&limit=100`, signal)));
  const jobs = pages.flatMap((page) => page.data).sort((a, b) => b.created_at_ms - a.created_at_ms);
  const names = new Set();
  return jobs.map(({ id, name }) => {
    if (!name || names.has(name)) return id;
    names.add(name);
    return name;
  });
}

async function fromField(kind, onChange, signal) {
  if (!kind.from) return null;
  const runs = await runsOf(kind.from, signal);
  return new Field('from', { type: 'string', enum: runs.length ? runs : [''], default: runs[0] ?? '', pointer: '#/from',
    description: `The finished run whose encoder it takes: ${kind.from.join(' or ')}.` }, onChange);
}

/** The rows of the estimate: what came, in words. */
function estimateRows({ estimate }) {
  const { parameters, memory_bytes: memory, steps_per_epoch: steps, flops_per_epoch: flops, seconds_per_epoch: seconds, seconds: total } = estimate;
  const known = (value) => value !== null && value !== undefined && value >= 0;
  return [
    parameters > 0 && ['parameters', count(parameters)],
    known(memory) && ['memory', bytes(memory)],
    known(steps) && ['steps per epoch', count(steps)],
    known(flops) && ['work per epoch', big(flops, 'FLOP')],
    known(seconds) && ['time per epoch', duration(seconds * 1000)],
    known(total) && ['time in all', duration(total * 1000)],
  ].filter(Boolean);
}

class NewView {
  constructor(root, { id, signal, title }) {
    this.wanted = id; // the kind that the address asks for; empty: none
    this.root = root;
    this.signal = signal;
    title('New run');
    this.check = throttled(() => this.validate(), CHECK_MS);
    signal.addEventListener('abort', () => this.check.cancel());
  }

  async open() {
    const [kinds, datasets] = await Promise.all([get('v1/kinds', this.signal), get('v1/datasets', this.signal)]);
    this.kinds = kinds.data;
    this.datasets = datasets.data;
    this.build();
    const { kind } = this.kinds.find((row) => row.kind === this.wanted) ?? this.kinds[0];
    this.kindInput.value = kind;
    await this.chooseKind(kind);
  }

  build() {
    this.common = ['name', 'seed'].map((name) => new Field(name, COMMON[name], this.check));
    this.common.splice(1, 0, datasetField(this.datasets, this.check));
    this.presets = h('div', { class: 'presets' });
    this.place = h('div');
    this.fromPlace = h('div');
    this.problem = h('p', { class: 'error', role: 'alert', hidden: true });
    this.estimate = h('dl', { class: 'facts estimate', 'aria-live': 'off' });
    this.submit = h('button', { type: 'submit', class: 'primary big' }, 'Start run');
    this.command = commandBox(() => (this.kind ? curl('v1/jobs', this.body()) : ''), 'this run from a terminal');
    this.missing = missingDataset();
    this.missing.refresh(this.signal).catch(() => {});
    this.form = h('form', { novalidate: true, onsubmit: (event) => this.send(event) },
      h('div', { class: 'form-main' }, h('fieldset', { class: 'card' }, h('legend', {}, 'Run'), this.kindField(), this.fromPlace, this.presets,
        h('div', { class: 'fields' }, this.common.map((field) => field.node))), this.place),
      h('aside', { class: 'card form-side', 'aria-label': 'Check and start' }, h('h2', {}, 'This run'), this.estimate, this.problem,
        h('div', { class: 'start' }, this.submit), h('h3', {}, 'From a terminal'), this.command.node));
    this.root.replaceChildren(h('div', { class: 'head' }, h('h1', {}, 'New run')), this.missing.node, this.form);
  }

  kindField() {
    const names = this.kinds.map((row) => row.kind);
    this.kindInput = h('select', { id: 'kind', onchange: () => this.chooseKind(this.kindInput.value).catch(complain) },
      names.map((name) => h('option', { value: name }, name)));
    this.kindHelp = h('p', { class: 'hint' });
    return h('div', { class: 'field' }, h('label', { for: 'kind' }, 'kind'), this.kindInput, this.kindHelp);
  }

  async chooseKind(name) {
    this.kind = await get(`v1/kinds/${name}`, this.signal);
    setText(this.kindHelp, this.kind.description ?? '');
    this.from = await fromField(this.kind, this.check, this.signal);
    this.fromPlace.replaceChildren(...(this.from ? [this.from.node] : []));
    this.params = new ParamsForm(this.kind.params, this.check);
    this.place.replaceChildren(this.params.node);
    this.presets.replaceChildren(h('span', { class: 'label', id: 'preset-label' }, 'preset'),
      h('div', { class: 'choices', role: 'radiogroup', 'aria-labelledby': 'preset-label' },
        this.kind.presets.map((preset) => this.presetChoice(preset))));
    this.choosePreset(this.kind.presets.find((preset) => preset.name === this.kind.default_preset) ?? this.kind.presets[0]);
  }

  presetChoice(preset) {
    const input = h('input', { type: 'radio', name: 'preset', value: preset.name,
      checked: preset.name === this.kind.default_preset, onchange: () => this.choosePreset(preset) });
    return h('label', { class: 'choice' }, input, h('span', {}, h('strong', {}, preset.name), h('span', { class: 'hint' }, preset.description)));
  }

  choosePreset(preset) {
    this.preset = preset;
    this.params.rebase(preset.params);
    this.check();
  }

  body() {
    const common = Object.fromEntries(this.common.map((field) => [field.pointer.slice(2), field.value]));
    return request(this.kind, { preset: this.preset.name, ...common, from: this.from?.value || undefined, params: this.params.values });
  }

  get fields() {
    return [...this.common, ...(this.from ? [this.from] : []), ...this.params.all];
  }

  async validate() {
    this.command.update();
    const body = this.body();
    try {
      const answer = await query('v1/jobs?validate_only=true', body, this.signal);
      this.showProblem(null);
      this.showEstimate(answer);
    } catch (problem) {
      if (problem.name !== 'AbortError') this.showProblem(problem);
    }
  }

  showProblem(problem) {
    const errors = problem?.errors ?? [];
    for (const field of this.fields) field.setError(errors.find((error) => field.owns(error.pointer))?.detail);
    setText(this.problem, problem?.message ?? '');
    show(this.problem, problem !== null);
    show(this.estimate, problem === null);
  }

  showEstimate(answer) {
    this.estimate.replaceChildren(...estimateRows(answer).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  }

  async send(event) {
    event.preventDefault();
    this.submit.disabled = true;
    try {
      const job = await post('v1/jobs', this.body());
      location.hash = `#/runs/${job.id}`;
    } catch (problem) {
      this.submit.disabled = false;
      this.showProblem(problem);
      const field = this.fields.find((each) => each.input.getAttribute('aria-invalid'));
      if (field) field.input.focus();
      else complain(problem);
    }
  }
}

export function view(root, context) {
  return new NewView(root, context).open();
}
