"""What is known of one model, and the one check of its payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .findings import Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .containers import Object


class ModelSpec:
    """The facts of one model: its id, the node of its input, the names of its classes, and the API page's example.

    ``display_name``, ``categories``, ``base_price_usd`` (US dollars for one ``price_unit``) and ``price_unit`` are what
    the catalog said when the package was generated; None or empty if it said nothing. A base price is not a quote.
    """

    __slots__ = (
        "_clean",
        "base_price_usd",
        "categories",
        "display_name",
        "example",
        "input",
        "input_class",
        "model_id",
        "output_class",
        "price_unit",
    )

    def __init__(
        self,
        model_id: str,
        input: Object,  # the API's own word for it
        *,
        input_class: str = "",
        output_class: str = "",
        example: Mapping[str, object] | None = None,
        display_name: str = "",
        categories: tuple[str, ...] = (),
        base_price_usd: float | None = None,
        price_unit: str = "",
    ) -> None:
        self.model_id = model_id
        self.input = input
        input.model_id = model_id
        self.input_class = input_class
        self.output_class = output_class
        self.example = example
        # The catalog's title of nearly every model is its id without the provider.
        self.display_name = display_name or model_id.partition("/")[2]
        self.categories = categories
        self.base_price_usd = base_price_usd
        self.price_unit = price_unit
        self._clean = Report(model_id)

    def __repr__(self) -> str:
        return f"<ModelSpec {self.model_id}>"


def check(spec: ModelSpec, payload: object) -> Report:
    """Check a payload with wire names. Everything that is wrong is in the report, not only the first error.

    ``payload`` holds JSON values, and at media fields also local media (see ``runcomfy.validate``).
    """
    tree = spec.input.check(payload)
    return spec._clean if tree is None else Report(spec.model_id, tree)
