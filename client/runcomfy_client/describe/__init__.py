"""What people and tools read about a model: parameters in words, ready snippets, standard JSON Schema.

All of it is made from the model's spec, for the command line, docstrings, reference pages and the OpenAPI document.
"""
