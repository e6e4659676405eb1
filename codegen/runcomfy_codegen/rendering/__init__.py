"""The steps models, render and format: nodes become the text of classes, specs and methods."""
