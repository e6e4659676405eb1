"""The reference: a page of Markdown for each model, made from its schema; files of the store in, text out."""
