"""The authors' types and map on a matrix's page: first of all maps, on each ground and width."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dpss.cli import commands
from tests.browser.conftest import Portal
from tests.browser.waiting import until
from tests.unit.engine.test_annotation import annotated_adata

SLUGS = ("authors_embedding", "annotations", "annotation_markers", "annotation_clusters")


@pytest.fixture(scope="module")
def annotated_portal(
    tmp_path_factory: pytest.TempPathFactory, serve: Callable[[Path], Portal]
) -> Portal:
    """Return the pages of a matrix whose file has a map and types with names like markup."""
    folder = tmp_path_factory.mktemp("annotations")
    adata = annotated_adata()
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories(
        {"NK": "<img src=x onerror=alert(1)>"}
    )
    adata.obs["cluster <script>"] = adata.obs["leiden"]
    adata.write_h5ad(folder / "annotated.h5ad")
    output = folder / "out"
    arguments = ["summarize", str(folder / "annotated.h5ad")]
    with pytest.raises(SystemExit) as ended:
        commands.main([*arguments, "--output", str(output)])
    assert ended.value.code == 0
    assert {path.stem for path in Path(output).rglob("*.png")} >= set(SLUGS)
    return serve(output)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_authors_figures_come_before_ours(
    annotated_portal: Portal, tab, width: int, scheme: str
) -> None:
    """Each is shown in full, in the form for the page's width; no name is markup."""
    made = tab(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = made.open(f"{annotated_portal.http}annotated/index.html")
    until(page, "document.querySelectorAll('figure img').length >= 4")
    shown = page.locator("figure img")
    order = []
    for n in range(shown.count()):
        picture = shown.nth(n)
        picture.scroll_into_view_if_needed()
        until(page, f"document.querySelectorAll('figure img')[{n}].naturalWidth > 0")
        used = str(picture.evaluate("each => each.currentSrc")).rpartition("/")[2].split("?")[0]
        slug = used.partition(".")[0]
        order.append(slug)
        if slug in SLUGS:
            assert (".narrow." in used) == (width == 360)
            assert picture.get_attribute("alt")
            made.shoot(f"{slug}-{width}-{scheme}")
    assert [slug for slug in order if slug in SLUGS] == list(SLUGS)
    assert order.index("annotation_clusters") < order.index("umap_clusters")
    said = page.locator("main").inner_text()
    assert "cell_type, the authors' annotation" in said
    assert "cluster <script>" in said
    assert page.locator("img[onerror], main script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == width
    links = page.locator("a[href$='annotations.csv'], a[href$='annotation_markers.csv']")
    assert links.count() >= 2
    assert made.problems == []
