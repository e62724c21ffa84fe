"""Every page in a real browser: quiet, accessible, whole without JavaScript, safe."""

from __future__ import annotations

from urllib.parse import quote

import pytest

NASTY_PROJECT = quote('a "b" <i>&', safe="") + "/"
PAGES = {
    "index": "index.html",
    "project": "project-0001/index.html",
    "nasty": NASTY_PROJECT + "index.html",
    "genes": "genes.html?g=GENE7",
    "compare": "compare.html?p=project-0001&p=project-0002",
    "runs": "runs/index.html",
    "report": "project-0001/matrix-0/report.html",
}
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "mobile": {"viewport": {"width": 375, "height": 812}, "device_scale_factor": 2},
}


def violations(page) -> list[str]:
    """Return what axe-core finds, by its rules for WCAG 2.2 AA and best practices."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {n['html']} ({n['failureSummary']})" for v in found for n in v["nodes"]]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(portal, tab, name, look):
    """Each page, in each look, passes every rule of axe-core; a picture of it is kept."""
    one = tab(**LOOKS[look])
    page = one.open(portal.http + PAGES[name])
    page.wait_for_timeout(200)
    one.shoot(f"{name}-{look}")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_work_from_a_server_and_from_the_disk(portal, tab, name, scheme):
    """The same page works from both, and asks nothing of anybody else."""
    one = tab()
    page = one.open(getattr(portal, scheme) + PAGES[name])
    assert page.locator("h1").is_visible()
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"  # the style is there
    if name == "report":
        assert [url for url in one.requests if not url.startswith("data:")] == [page.url]


def test_without_javascript_everything_is_there(portal, tab):
    """Tables, figures and links need no script."""
    one = tab(java_script_enabled=False)
    page = one.open(portal.http)
    assert page.locator("#projects tbody tr").count() == 7
    page.locator("#projects tbody a").nth(3).click()
    assert page.locator(".numbers").count() >= 1
    assert page.locator(".top tbody tr").count() >= 60
    image = page.locator(".figures img").first
    image.scroll_into_view_if_needed()
    assert image.get_attribute("alt")
    assert page.locator("a[href$='genes.csv']").count() >= 1


@pytest.mark.parametrize("name", PAGES)
def test_narrow_screens_need_no_sideways_scrolling(portal, tab, name):
    """At 320 CSS pixels only tables scroll within themselves (WCAG 1.4.10)."""
    page = tab(viewport={"width": 320, "height": 640}).open(portal.http + PAGES[name])
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_texts_from_outside_do_nothing(portal, tab):
    """Markup in names is shown as it is, in what scripts make as well."""
    one = tab()
    page = one.open(portal.http + PAGES["nasty"])
    page.get_by_role("button", name="Explore all").click()
    page.locator(".all-genes tbody tr").first.wait_for()
    assert "<script>alert(1)</script>" in page.locator(".all-genes tbody").inner_text()
    page.locator(".plot").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".tip").is_visible()
    assert page.locator("img[src='x']").count() == 0
    page = one.open(portal.http + "index.html")
    page.get_by_role("button", name="Figures").first.click()
    page.locator("summary", has_text="Species").click()
    assert page.locator("img[src='x']").count() == 0
    page = one.open(portal.http + "genes.html?g=" + quote("<script>alert(1)</script> 0"))
    page.locator("#result tbody tr").first.wait_for()
    assert page.locator("#result script").count() == 0


def test_each_figure_says_what_it_shows(portal, tab):
    """Alternative texts carry the finding, not the file's name."""
    page = tab().open(portal.http + PAGES["project"])
    for text in page.locator(".figures img").evaluate_all("all => all.map(i => i.alt)"):
        assert len(text) > 30 and ".png" not in text


def test_printing_leaves_out_the_controls(portal, tab):
    """On paper there is the content only."""
    one = tab()
    page = one.open(portal.http + "index.html")
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()
    assert page.locator("#projects").is_visible()
    one.shoot("index-print", full=True)


def test_scripts_are_small(portal):
    """All JavaScript of a page is below 200 kB even uncompressed."""
    sizes = [
        path.stat().st_size
        for path in (portal.root / "_dpss").glob("*.js")
        if path.name not in ("matrices.js", "projects.js")
    ]
    assert sum(sizes) < 200_000
