"""All genes of a matrix, and one gene across all matrices."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.test_pages import violations
from tests.browser.waiting import address_of, until

PROJECT = "project-0001/index.html"


def explore(page):
    page.get_by_role("button", name="Explore all 300 genes").first.click()
    page.locator(".all-genes tbody tr").first.wait_for()
    return page


def test_the_table_sorts_and_searches(portal, tab):
    """The most variable gene comes first; a search finds by name and by id."""
    page = explore(tab().open(portal.http + PROJECT))
    first = page.locator("article").first
    best = first.locator(".top").nth(2).locator("tbody th a").first.inner_text()
    assert first.locator(".all-genes tbody th a").first.inner_text() == best
    first.get_by_label("Find genes").fill("GENE42, ensg00000000007")
    until(page, "document.querySelectorAll('.all-genes tbody tr').length === 2")
    names = sorted(first.locator(".all-genes tbody th a").all_inner_texts())
    assert names == ["GENE42", "GENE7"]
    assert "2 genes found" in first.locator(".status").inner_text()
    assert violations(page) == []


def test_the_address_restores_the_explorer(portal, tab):
    """Which matrix, what was searched, the view and the order are in the address."""
    page = explore(tab().open(portal.http + PROJECT))
    page.get_by_label("Find genes").fill("GENE1")
    page.get_by_label("Plot").select_option("detection")
    page.locator("th[data-sort=mean_counts] button").click()
    until(page, "location.search.includes('q=GENE1')")
    found = parse_qs(urlsplit(address_of(page)).query)
    assert found == {
        "m": ["m-matrix-0"],
        "q": ["GENE1"],
        "view": ["detection"],
        "sort": ["mean_counts"],
        "dir": ["desc"],
    }
    again = tab().open(address_of(page))
    again.locator(".all-genes tbody tr").first.wait_for()
    assert again.get_by_label("Plot").input_value() == "detection"
    rows = ".all-genes tbody th a"
    assert again.locator(rows).all_inner_texts() == page.locator(rows).all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pointing_at_a_dot_names_the_gene(portal, tab, scheme):
    """Hover names the gene, the arrow keys go by rank and say it aloud."""
    one = tab(color_scheme=scheme)
    page = explore(one.open(portal.http + PROJECT))
    plot = page.locator(".plot")
    plot.scroll_into_view_if_needed()
    plot.focus()
    page.keyboard.press("ArrowRight")
    best = page.locator(".all-genes tbody th a").first.inner_text()
    assert page.locator(".tip strong").inner_text() == best
    assert page.locator(".all-genes .status").inner_text().startswith(best)
    page.keyboard.press("Escape")
    assert not page.locator(".tip").is_visible()
    box = plot.bounding_box()
    for step in range(60):  # somewhere along the diagonal there is a dot
        page.mouse.move(
            box["x"] + box["width"] * step / 60, box["y"] + box["height"] * (1 - step / 60)
        )
        if page.locator(".tip").is_visible():
            break
    assert page.locator(".tip").is_visible()
    one.shoot(f"explorer-{scheme}")


def test_the_figure_leads_to_its_interactive_form(portal, tab):
    """Beside the figure of variability is a way to the plot."""
    page = tab().open(portal.http + PROJECT)
    page.get_by_role("button", name="Interactive plot").first.click()
    page.locator(".all-genes tbody tr").first.wait_for()
    assert page.locator(".plot canvas").is_visible()


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize(
    "typed", ["GENE7", "gene7", " ENSG00000000007 ", "ensg00000000007.12", "GRCh38_GENE7"]
)
def test_a_gene_is_found_however_it_is_typed(portal, tab, typed, scheme):
    """Capitals, versions and genome prefixes don't matter; symbol and id find the same."""
    page = tab().open(getattr(portal, scheme) + "genes.html")
    page.get_by_label("Symbol or Ensembl id").fill(typed)
    page.keyboard.press("Enter")
    page.locator("#result tbody tr").first.wait_for()
    assert page.locator("#result tbody tr").count() == 18
    assert "GENE7 (ENSG00000000007)" in page.locator("#result h2").inner_text()
    assert "g=" in address_of(page)


def test_the_look_up_tells_what_the_tables_tell(portal, tab):
    """Shares and ranks are those of the matrix's own genes.csv."""
    import csv

    page = tab().open(portal.http + "genes.html?g=GENE7")
    page.locator("#result tbody tr").first.wait_for()
    for row in page.locator("#result tbody tr").all():
        address = row.locator("a").get_attribute("href")
        project, _, anchor = address.partition("/index.html#m-")
        with (portal.root / project / anchor / "genes.csv").open() as file:
            gene = next(line for line in csv.DictReader(file) if line["gene_name"] == "GENE7")
        cells = row.locator("td").all_inner_texts()
        assert cells[3].replace(",", "") == gene["rank_cell_count"]
        assert cells[5].replace(",", "") == (gene["rank_variability"] or "–")
        share = float(cells[1].partition("\u202f")[0])
        assert abs(share - (100 - float(gene["pct_dropout_by_counts"]))) < 0.06


def test_an_unknown_gene_is_said_to_be(portal, tab):
    """Nothing found is said in words, and is no error."""
    page = tab().open(portal.http + "genes.html?g=NOSUCHGENE")
    until(page, "document.getElementById('status').textContent.includes('No matrix has')")


@pytest.mark.parametrize("gene", ["NOSUCHGENE", "gene3", "GENE7"])
def test_what_could_not_be_loaded_is_not_said_to_be_missing(large_portal, tab, gene):
    """With files of the look-up lost, nothing is claimed of the matrices that they are about."""
    one = tab()
    one.page.route(
        re.compile(r"/lookup/\d+x\d+/0/[^/]*\.js"),
        lambda route: route.fulfill(body="", content_type="text/javascript"),
    )
    page = one.open(large_portal.http + f"genes.html?g={gene}")
    until(page, "document.getElementById('status').textContent.includes('could not be loaded')")
    said = page.locator("#status").inner_text()
    assert "matrices may be missing" in said
    assert "No matrix has" not in said
    assert "not list it" not in said


@pytest.mark.slow
def test_the_look_up_works_across_600_projects(large_portal, tab):
    """Blocks and buckets are put together again."""
    page = tab().open(large_portal.http + "genes.html?g=gene3")
    page.locator("#result tbody tr").first.wait_for()
    assert "of 600 matrices" in page.locator("#status").inner_text()
    assert page.locator("#result tbody tr").count() == 50
    page.get_by_role("button", name="Show more").click()
    until(page, "document.querySelectorAll('#result tbody tr').length === 100")


TURNS = """() => {
    // Count what a script makes between two turns of the browser: a timer that is set with the
    // first element of a turn comes before the one by which the script itself goes on.
    delete window.scheduler;
    Object.defineProperty(window, 'scheduler', {value: undefined});
    window.turns = {elements: [0], loads: [0]};
    let counting = false;
    function count(kind) {
        if (!counting) {
            counting = true;
            setTimeout(() => {
                counting = false;
                for (const all of Object.values(window.turns)) all.push(0);
            });
        }
        window.turns[kind][window.turns[kind].length - 1] += 1;
    }
    for (const name of ['createElement', 'createElementNS']) {
        const make = document[name].bind(document);
        document[name] = function (...args) {
            count(args[0] === 'script' ? 'loads' : 'elements');
            return make(...args);
        };
    }
}"""


@pytest.mark.slow
@pytest.mark.parametrize("query", ["gene3", "ENSG00000000007", "GENE19&organ=lung"])
def test_a_look_up_never_holds_the_page(large_portal, tab, query):
    """Rows of 600 matrices and files of all blocks come a few at a time, counted, not timed."""
    one = tab(viewport={"width": 412, "height": 823})
    one.page.add_init_script(f"({TURNS})()")
    page = one.open(large_portal.http + f"genes.html?g={query}")
    page.locator("#result tbody tr").first.wait_for()
    turns = page.evaluate("window.turns")
    assert sum(turns["elements"]) > 500
    assert max(turns["elements"]) <= 200
    assert max(turns["loads"]) <= 8
    assert page.locator("#result tbody tr").count() <= 50


@pytest.mark.parametrize(
    ("n_items", "size", "expected"),
    [(0, 4, []), (3, 4, [3]), (4, 4, [4]), (9, 4, [4, 4, 1]), (25, 10, [10, 10, 5])],
)
def test_slices_have_their_size(portal, tab, n_items, size, expected):
    """Every item comes once, in order, so many in a turn at most."""
    page = tab().open(portal.http + "genes.html")
    found = page.evaluate(
        """async ([n, size]) => {
            Object.defineProperty(window, 'scheduler', {value: undefined});
            const turns = [], order = [];
            let turn = 0;
            const made = await dpss.inSlices([...Array(n).keys()], size, item => {
                order.push(item);
                if (!turn) { turns.push(0); turn = setTimeout(() => (turn = 0)); }
                turns[turns.length - 1] += 1;
                return -item;
            });
            return {turns, made, order};
        }""",
        [n_items, size],
    )
    assert found["order"] == list(range(n_items))
    assert [abs(one) for one in found["made"]] == list(range(n_items))
    assert found["turns"] == expected


@pytest.mark.parametrize("n_clicks", [1, 2, 3])
def test_only_the_last_of_quick_changes_is_shown(portal, tab, n_clicks):
    """A change while rows are being made takes their place."""
    page = tab().open(portal.http + "genes.html?g=GENE7")
    page.locator("#result tbody tr").first.wait_for()
    page.evaluate(
        """n => {
            const button = document.querySelector('#result th[data-sort=mean] button');
            for (let i = 0; i < n; i += 1) button.click();
        }""",
        n_clicks,
    )
    sign = -1 if n_clicks % 2 else 1
    until(
        page,
        f"""(() => {{
            const all = [...document.querySelectorAll("#result td[data-label='Mean count']")];
            const shown = all.map(cell => parseFloat(cell.textContent.replace(',', '')) || 0);
            return shown.every((value, i) => !i || {sign} * (value - shown[i - 1]) >= 0);
        }})()""",
    )
    assert page.locator("#result tbody tr").count() == 18


SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver(list => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push(one.value);
    }).observe({type: 'layout-shift', buffered: true});
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_a_gene_is_looked_up(large_portal, tab, width):
    """Layout shifts add up to at most 0.05, the form and the rows of 600 matrices included."""
    one = tab(viewport={"width": width, "height": 800})
    one.page.add_init_script(f"({SHIFTS})()")
    page = one.open(large_portal.http + "genes.html?g=gene3")
    page.locator("#result tbody tr").first.wait_for()
    page.wait_for_timeout(300)
    assert sum(page.evaluate("window.shifts")) <= 0.05
    assert page.evaluate("document.getElementsByTagName('*').length") < 1500


@pytest.mark.parametrize("width", [360, 1280])
def test_bars_of_shares_are_aligned(portal, tab, width):
    """The bars of all matrices begin at the same place."""
    page = tab(viewport={"width": width, "height": 800}).open(portal.http + "genes.html?g=GENE7")
    page.locator("#result tbody tr").first.wait_for()
    places = page.locator("#result svg.share").evaluate_all(
        "all => all.map(bar => Math.round(bar.getBoundingClientRect().left))"
    )
    assert len(places) == 18
    assert len(set(places)) == 1


def test_facets_narrow_what_is_shown_and_the_address_keeps_them(portal, tab):
    """A chosen organ leaves its matrices only, in the table and in the strips."""
    import statistics

    one = tab(viewport={"width": 1280, "height": 900})
    page = one.open(portal.http + "genes.html?g=GENE7")
    page.locator("#result tbody tr").first.wait_for()
    samples = page.locator("#result td[data-label='Sample']").all_inner_texts()
    organs = page.locator(".organs .organ").all_inner_texts()
    assert len(organs) >= 2
    assert page.locator(".organs .strip").count() == len(organs)
    chosen = organs[0]
    within = [text for text in samples if chosen in text]
    found = page.locator("#result td[data-label='Found in']").all_inner_texts()
    shares = [
        float(text.partition("\u202f")[0])
        for text, sample in zip(found, samples, strict=True)
        if chosen in sample
    ]
    told = page.locator(".organs li").first.locator(".sub").inner_text()
    assert abs(float(told.partition("\u202f")[0]) - statistics.median(shares)) < 0.11
    one.shoot("gene-organs")
    page.locator(".facet summary", has_text="Organ").click()
    page.locator(".facet label", has_text=chosen).click()
    until(page, f"document.querySelectorAll('#result tbody tr').length === {len(within)}")
    assert "organ=" in address_of(page)
    assert f"{len(within)} of {len(samples)} lines" in page.locator("#result .status").inner_text()
    assert violations(page) == []
    again = tab().open(address_of(page))
    again.locator("#result tbody tr").first.wait_for()
    assert again.locator("#result tbody tr").count() == len(within)


def test_a_phone_shows_a_gene_s_matrices_as_cards(portal, tab):
    """At 360 px nothing scrolls sideways, and each number stands below its name."""
    one = tab(viewport={"width": 360, "height": 800})
    page = one.open(portal.http + "genes.html?g=GENE7")
    page.locator("#result tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("#result .scroll").evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    box = page.locator("#result td[data-label='Rank by variability']").first.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
    one.shoot("gene-phone", full=True)
