"""How schemas come in: from saved API pages and from the catalog."""
