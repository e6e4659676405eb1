"""The steps models, render and format: nodes become classes, specs and methods, as finished text."""
