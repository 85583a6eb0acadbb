// Before the first paint, so a page of the other theme never flashes. A classic script: modules run too late for that.
{
  let theme = null;
  try {
    theme = localStorage.getItem('theme');
  } catch {
    // Storage may be forbidden; the system's theme is fine.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
}
