// lib/pixels.js: images that come as numbers in [0,1], one value per pixel and channel, onto canvases.

/** Image number `k` of `data` into RGBA; gray, or three planes. A value becomes the byte that the daemon's PNGs have for it. */
export function paint(rgba, data, k, [channels, height, width]) {
  const plane = height * width;
  const from = k * channels * plane;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      const value = data[from + (channels === 3 ? c * plane : 0) + i];
      rgba[4 * i + c] = value > 0 ? Math.floor(Math.fround(Math.fround(Math.min(value, 1) * 255) + 0.5)) : 0;
    }
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** One image of `data` on a canvas of its own size. */
export function drawImage(canvas, data, image, k = 0) {
  const [, height, width] = image;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(width, height);
  paint(pixels.data, data, k, image);
  context.putImageData(pixels, 0, 0);
}

/** All of them, so many a row. */
export function drawTiles(canvas, data, image, n, cols) {
  const [, height, width] = image;
  canvas.width = width * Math.min(n, cols);
  canvas.height = height * Math.ceil(n / cols);
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(width, height);
  for (let k = 0; k < n; k++) {
    paint(pixels.data, data, k, image);
    context.putImageData(pixels, (k % cols) * width, Math.floor(k / cols) * height);
  }
}
