// lib/touch.js: fingers on a chart: one moves the cursor (up and down stays the page's), two zoom; so does a pad's pinch.

/** move(share): a finger is at this share of the width; zoom(factor, share): what is under share comes closer (factor < 1) or goes. */
export function onTouch(node, { move, zoom }) {
  const fingers = new Map();
  const shareOf = (x) => {
    const { left, width } = node.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - left) / width));
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { apart: Math.max(20, Math.abs(a - b)), middle: shareOf((a + b) / 2) };
  };
  const touched = (event) => event.pointerType === 'touch';
  node.addEventListener('pointerdown', (event) => {
    if (!touched(event)) return;
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 1) move(shareOf(event.clientX));
  });
  node.addEventListener('pointermove', (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = fingers.size === 2 && spread();
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 1) move(shareOf(event.clientX));
    if (!before) return;
    const { apart, middle } = spread();
    if (apart !== before.apart) zoom(before.apart / apart, middle);
  });
  const lift = (event) => fingers.delete(event.pointerId);
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) node.addEventListener(end, lift);
  node.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return; // what a pinch on a pad is told as
    event.preventDefault();
    zoom(Math.exp(event.deltaY * 0.01), shareOf(event.clientX));
  }, { passive: false });
}
