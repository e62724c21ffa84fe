// The theme joins a version's address and the page's name, and the browser takes the result from the
// page's own folder. Addresses are relative here, so that the site can be anywhere: from its top.
(() => {
  const top = document.documentElement.dataset.content_root || "./";
  const mend = (link) => {
    const href = link.getAttribute("href");
    if (href && href.startsWith("../") && !link.dataset.fromTop) {
      link.dataset.fromTop = "yes";
      link.setAttribute("href", top + href);
    }
  };
  const mendAll = () => document.querySelectorAll(".version-switcher__menu a").forEach(mend);
  document.addEventListener("DOMContentLoaded", () => {
    const watcher = new MutationObserver(mendAll);
    for (const menu of document.querySelectorAll(".version-switcher__menu")) {
      watcher.observe(menu, { childList: true });
    }
    mendAll();
  });
})();
