"""What a model costs, as far as the catalog says: the base price, which is neither a minimum nor a quote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..schema import ModelSpec


def base_price(spec: ModelSpec) -> str:
    """The base price in words, such as "0.03 USD per output", or "" if the catalog gave none.

    The unit is the catalog's own text: whoever prints it escapes it.
    """
    if spec.base_price_usd is None:
        return ""
    unit = f" per {spec.price_unit}" if spec.price_unit else ""
    return f"{spec.base_price_usd:g} USD{unit}"
