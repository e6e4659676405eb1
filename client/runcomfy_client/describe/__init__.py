"""What people and tools read about a model: parameters in words, ready snippets, standard JSON Schema, what it costs.

All of it is made from the model's spec, for the command line, docstrings, reference pages, the OpenAPI document, agents
and the studio. `errors` has the client's errors as data, `search` finds a model by words, `project` reads what a
project's pyproject.toml says of its package.
"""
