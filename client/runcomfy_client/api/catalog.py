"""The catalog and the balance: what there is, its list price, and what is left to spend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..errors import APIError
from ..identifiers import check_model_id
from .calls import call, get
from .outcomes import amount_of, cost_in

if TYPE_CHECKING:
    from ..transport.steps import Operation
    from .calls import Session

PAGE = 500
MOST_PAGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A model as RunComfy's catalog lists it.

    ``base_price_usd`` is the list's base price for one ``price_unit`` ("output", "second", ...): neither a minimum nor
    a quote; ``pricing_note`` says what moves it. What a job did cost is in its result.
    """

    model_id: str
    display_name: str = ""
    description: str = ""
    categories: tuple[str, ...] = ()
    kind: str = ""
    base_price_usd: float | None = None
    price_unit: str = ""
    pricing_note: str = ""
    input_schema: dict[str, object] | None = field(default=None, repr=False)
    raw: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What the account has left; may be negative. ``microdollars`` is exact."""

    usd: float | None
    microdollars: int | None
    currency: str = "USD"
    raw: dict[str, object] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return "unknown" if self.usd is None else f"{self.usd:.2f} {self.currency}"


def list_models(
    session: Session, search: str | None, category: str | None, include_schema: bool
) -> Operation[list[CatalogEntry]]:
    """Every entry that fits, over all pages."""
    flag = "true" if include_schema else None
    filters = (("search", search), ("category", category), ("include_schema", flag))
    wanted = {name: text for name, text in filters if text}
    entries: dict[str, CatalogEntry] = {}
    offset = 0
    for _ in range(MOST_PAGES):
        query = urlencode({**wanted, "limit": PAGE, "offset": offset})
        url = f"{session.config.url('models')}?{query}"
        body = yield from call(session, get(session, url), "Catalog")
        items = body.get("models")
        page = [entry_of(item) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        fresh = [entry for entry in page if entry.model_id and entry.model_id not in entries]
        entries.update((entry.model_id, entry) for entry in fresh)
        offset += len(page)
        # A total that is already passed is wrong; only one that is met ends the list before an empty page does.
        if not fresh or body.get("total") == offset:
            break
    return list(entries.values())


def get_model(session: Session, model_id: str) -> Operation[CatalogEntry]:
    url = session.config.url("models", check_model_id(model_id))
    body = yield from call(session, get(session, url), f"Catalog entry of {model_id}")
    return entry_of(body)


def balance(session: Session) -> Operation[Balance]:
    """What the account has left. A reply without an amount is an error: the balance is also the check of the token."""
    body = yield from call(session, get(session, session.config.balance_url), "Balance")
    usd, micro = amount_of(body.get("balance_usd")), body.get("balance_microdollars")
    if usd is None and type(micro) is not int:
        raise APIError("Balance: the reply names no amount, so nothing is known of the token.", status_code=200)
    return Balance(
        usd=usd,
        microdollars=micro if type(micro) is int else None,
        currency=_text(body, "currency") or "USD",
        raw=body,
    )


def entry_of(item: dict[str, object]) -> CatalogEntry:
    categories = item.get("categories")
    schema = item.get("input_schema")
    return CatalogEntry(
        model_id=_text(item, "model_id"),
        display_name=_text(item, "display_name"),
        description=_text(item, "description"),
        categories=tuple(str(name) for name in categories) if isinstance(categories, list) else (),
        kind=_text(item, "kind"),
        base_price_usd=cost_in({"cost": item.get("base_price_usd")}),
        price_unit=_text(item, "price_unit"),
        pricing_note=_text(item, "pricing_note"),
        input_schema=schema if isinstance(schema, dict) else None,
        raw=item,
    )


def _text(item: dict[str, object], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
