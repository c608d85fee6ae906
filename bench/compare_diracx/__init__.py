"""The same requests to an unmodified DiracX 0.7.0 and to Sancho, on one machine, in turns.

`diracx` and `mariadb` start DiracX as its own documentation says, `recordings` are the requests, `sides` is who gets
them. How to run it, and what came of it, is in `bench/compare_diracx.md`. DiracX stays a program of its own, in an
environment of its own: nothing of it is imported here.
"""
