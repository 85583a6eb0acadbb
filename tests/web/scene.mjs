// scene.mjs: runs of every kind for tests and pictures that look at all views.

/** Parameters of each job, small (seconds in all) or as one would train them (minutes). */
function jobs(small, mark) {
  const size = (few, many) => (small ? few : many);
  const name = (word) => `${word}${mark}`;
  return [
    { key: 'ae', kind: 'ae', name: name('shoes-and-shirts'), params: size({ train_limit: 2000, epochs: 3, latent_dim: 4 }, { epochs: 30 }) },
    { key: 'vae', kind: 'vae', name: name('smooth'), params: { latent_dim: 2, ...size({ train_limit: 2000, epochs: 4 }, { epochs: 30 }) } },
    { key: 'other', kind: 'vae', name: name('smoother'), params: { latent_dim: 2, beta: 4, ...size({ train_limit: 2000, epochs: 4 }, { epochs: 30 }) } },
    { key: 'gan', kind: 'gan', name: name('pair'), params: size({ channels: [16, 8], discriminator_channels: [8, 16], judge_samples: 256, train_limit: 1000, epochs: 1 }, { epochs: 2 }) },
    { key: 'head', kind: 'finetune', from: name('shoes-and-shirts'), name: name('head'), params: size({ train_limit: 2000, epochs: 2 }, { epochs: 10 }) },
    { key: 'map', kind: 'projection', from: name('smooth'), name: name('map'), params: size({ n: 1000 }, {}) },
    { key: 'tsne', kind: 'projection', preset: 'tsne', from: name('shoes-and-shirts'), name: name('neighbours'), params: size({ n: 400, iterations: 120 }, { n: 5000 }) },
    { key: 'study', kind: 'study', name: name('tuning'), params: { base: { kind: 'ae', params: size({ train_limit: 1000, epochs: 2 }, { epochs: 4 }) },
      space: { lr: { low: 1e-4, high: 0.05, log: true }, latent_dim: { values: [2, 4, 8] }, 'channels.0': { low: 4, high: 12 } }, trials: size(4, 16) } },
    { key: 'repeats', kind: 'ae', name: name('three-seeds'), seeds: [1, 2, 3], params: size({ train_limit: 1000, epochs: 2 }, { epochs: 5 }) },
  ];
}

/** Submits them, waits for their end; then one that trains on. {key: job}. `mark` ends each name. */
export async function scene(daemon, { small = true, mark = '' } = {}) {
  const made = {};
  for (const { key, ...body } of jobs(small, mark)) {
    if (body.from) await daemon.api(`v1/jobs/${made[body.kind === 'projection' && key === 'map' ? 'vae' : 'ae'].id}?wait_s=600`);
    made[key] = await daemon.api('v1/jobs', body);
    if (!made[key].id) throw new Error(JSON.stringify(made[key]));
  }
  for (const key of Object.keys(made)) made[key] = await daemon.api(`v1/jobs/${made[key].id}?wait_s=600`);
  for (const [key, { status, error }] of Object.entries(made)) if (status !== 'succeeded') throw new Error(`${key}: ${status} ${error?.detail}`);
  made.running = await daemon.api('v1/jobs', { kind: 'vae', name: `at-work${mark}`, params: { latent_dim: 2, epochs: 2000, ...(small && { train_limit: 6000 }) } });
  return made;
}
