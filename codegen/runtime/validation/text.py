"""A report for people: one line a finding, the path first; nothing of the payload reaches a terminal unescaped."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .report import Finding, Report

__all__ = ["printable", "report_text"]


# Nobody reads more, and a list of a million wrong items must not become a message of a hundred megabytes.
_MOST_ROWS = 50
_WIDEST_PATH = 120


def report_text(report: Report) -> str:
    """The report as ``str(report)`` shows it; what is unchecked is folded to one line a path."""
    lines = [f"{printable(report.model_id)}: {_summary(report)}"]
    lines += _rows([(finding, finding.message) for finding in report.errors], "  ")
    if report.warnings:
        lines += ["  warnings:", *_rows([(finding, finding.message) for finding in report.warnings], "    ")]
    if report.unchecked:
        lines += ["  not checked:", *_rows(_folded(report), "    ")]
    return "\n".join(lines)


def printable(text: str) -> str:
    """The text with everything escaped that a terminal would act upon."""
    return text if text.isprintable() else "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def _summary(report: Report) -> str:
    parts = [f"{len(report.errors)} problem{'s' if len(report.errors) != 1 else ''}" if report.errors else "ok"]
    if report.warnings:
        parts.append(f"{len(report.warnings)} warning{'s' if len(report.warnings) != 1 else ''}")
    if report.unchecked:
        parts.append(f"{len(report.unchecked)} not checked")
    return ", ".join(parts)


def _rows(findings: list[tuple[Finding, str]], indent: str) -> list[str]:
    shown = findings[:_MOST_ROWS]
    paths = [_path(finding) for finding, _ in shown]
    width = min(max(map(len, paths), default=0), 32)
    column = max([12, *[len(finding.code) for finding, _ in shown]])
    rows = [
        f"{indent}{path:<{width}}  {finding.code:<{column}}  {printable(message)}"
        for path, (finding, message) in zip(paths, shown, strict=True)
    ]
    return [*rows, f"{indent}... and {len(findings) - _MOST_ROWS} more"] if len(findings) > _MOST_ROWS else rows


def _path(finding: Finding) -> str:
    path = finding.path
    return printable(path if len(path) <= _WIDEST_PATH else path[:_WIDEST_PATH] + "...") or "(payload)"


def _folded(report: Report) -> list[tuple[Finding, str]]:
    """The unchecked findings, those of one path and one reason in one."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in report.unchecked:
        reason = finding.message.removeprefix(f"{finding.rule} was not checked: ") if finding.rule else finding.message
        groups.setdefault((finding.path, finding.code, reason), []).append(finding)
    folded = []
    for (_, _, reason), findings in groups.items():
        rules = ", ".join([str(finding.rule) for finding in findings if finding.rule is not None])
        known = findings[0].code == "media_rule"
        folded.append((findings[0], f"{rules}: {reason}" if rules and known else reason))
    return folded
