"""The five workloads: each `measure(ground, rows, rounds)` gives figures, the API's first."""
