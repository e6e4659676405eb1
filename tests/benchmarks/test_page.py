"""The page and its chart say what was found, missed targets included."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks import chart, page
from benchmarks.harness import Spread
from benchmarks.report import Row, Section, Target

SVG = "{http://www.w3.org/2000/svg}"


def row(ratio: float, target: Target | None = None, what: str = "a thing") -> Row:
    return Row(
        what=what,
        ours=Spread(0.25, 0.2, 0.3),
        unit="s",
        peer="a <peer>",
        theirs=Spread(1.0, 1.0, 1.0),
        ratio=Spread(ratio, ratio, ratio),
        target=target,
    )


def section(*rows: Row) -> Section:
    return Section(name="x", title="Things", method="They were measured.", rows=rows, notes=("Mind this.",))


def test_kept_and_missed_targets_are_distinguished() -> None:
    found = section(row(0.25, Target(0.5)), row(0.75, Target(0.5)), row(0.5))
    text = page.render([found], "a machine", {"black": "1"})
    assert "| a thing | 0.25 s [0.2–0.3] | a <peer> | 1 s | 0.25× | ≤ 0.5× | kept |" in text
    assert "| 0.75× | ≤ 0.5× | **missed** |" in text
    assert "| 0.5× |  |  |" in text
    assert "\n- Mind this.\n" in text


def test_a_figure_without_a_peer_is_held_to_its_target_itself() -> None:
    figure = Row(what="peak", ours=Spread(310.0, 310.0, 310.0), unit="MiB", target=Target(300))
    assert "| peak | 310 MiB |  |  |  | ≤ 300 MiB | **missed** |" in page.render([section(figure)], "m", {})


def test_the_chart_has_a_bar_for_each_row_with_a_peer() -> None:
    alone = Row(what="alone", ours=Spread(1, 1, 1), unit="")
    drawn = ElementTree.fromstring(chart.render([section(row(0.25, Target(0.5)), row(4.0), alone)]))
    cheap, dear = (each for each in drawn.iter(f"{SVG}rect") if each.get("rx"))
    unity = next(float(str(each.get("x1"))) for each in drawn.iter(f"{SVG}line") if each.get("stroke") == "#8a8a8a")
    assert float(str(cheap.get("x"))) < unity
    assert float(str(dear.get("x"))) == unity
    assert len(list(drawn.iter(f"{SVG}path"))) == 1


def test_numbers_are_short() -> None:
    assert [page.number(each) for each in (0, 0.012345, 1.5, 312.4, 12345.6)] == ["0", "0.0123", "1.5", "312", "12,346"]
