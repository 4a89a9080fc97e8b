// What the theme leaves out for people who hear pages or type their way through: a name for the search, and wide tables
// that scroll by keyboard. The theme wraps tables after it has loaded.
const name = (selector, label) =>
  document.querySelectorAll(selector).forEach((element) => element.setAttribute("aria-label", label));

const open = () => {
  name("[data-md-component=search]", "Search");
  name("#__search, #__drawer", "Open or close");
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((wrap) => (wrap.tabIndex = 0));
};

new MutationObserver(open).observe(document.body, { childList: true, subtree: true });
open();
