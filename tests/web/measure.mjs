// measure.mjs: how long a page keeps its user waiting: Chromium's own trace of its tasks, and its timing of events.

/** Before the page is opened: its long tasks and what came of each event are written down. */
export const watchPage = (page) => page.addInitScript(() => {
  globalThis.measured = { tasks: [], events: [] };
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => globalThis.measured.tasks.push(duration)))
    .observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ name, startTime, processingStart, processingEnd, duration }) => {
    globalThis.measured.events.push({ name, late: processingStart - startTime, work: processingEnd - processingStart, duration });
  })).observe({ type: 'event', durationThreshold: 16, buffered: true });
});

/** ms from the navigation to the first text or picture. */
export const firstPaint = (page) => page.evaluate(() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntriesByName('first-contentful-paint')[0];
    if (paint) resolve(paint.startTime);
  }).observe({ type: 'paint', buffered: true });
}));

/** The slowest event since the last call, from the input to the next frame: {name, duration, work}; 0: none took 16 ms. */
export async function slowestEvent(page) {
  await page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve, 50)); }));
  const events = await page.evaluate(() => globalThis.measured.events.splice(0));
  return events.reduce((worst, event) => (event.duration > worst.duration ? event : worst), { name: '', duration: 0, work: 0 });
}

/** Tasks of the page's main thread while `act` runs, the longest first, as Chromium traces them: {ms, cpu}, by the clock and of the
 * processor. On a machine that others use only the latter says something of the page. */
export async function tracedTasks(browser, page, act) {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata', 'disabled-by-default-devtools.timeline'] });
  let trace;
  try {
    await act();
  } finally {
    trace = JSON.parse((await browser.stopTracing()).toString());
  }
  const mains = new Set(trace.traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`));
  return trace.traceEvents.filter(({ name, ph, pid, tid }) => ph === 'X' && ['RunTask', 'ThreadControllerImpl::RunTask'].includes(name) && mains.has(`${pid} ${tid}`))
    .map(({ dur, tdur = dur }) => ({ ms: dur / 1000, cpu: tdur / 1000 })).sort((a, b) => b.ms - a.ms);
}

/** The one that took most of the processor. */
export const mostWork = (tasks) => Math.max(0, ...tasks.map(({ cpu }) => cpu));

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
