"""Measurements side by side with the peers; `python -m benchmarks` runs them and writes docs/benchmarks.md.

One module per benchmark (`imports`, `generation`, `validation`, `client`), each with `measure(quick=...) -> Section`.
`synthetic` makes the catalogs, `peers/` holds the programs that are measured, `harness` counts processor time,
`environments` installs what is compared, `page` and `chart` write down what was found, by way of `templates/`.
"""
