"""Rucio's wire, served under /rucio, so that its clients work here as they are.

What they send is said in our words (`translate`), done by our services and answered in theirs (`wire`, `errors`).
Rucio's names of errors are its API; `errors` has one for each of ours. `endpoints.txt` lists all that Rucio serves and
how much of it we do; what is not served says so in Rucio's way.

A request carries `X-Rucio-Auth-Token`, which is an access token of ours, and never `Authorization`. Whose it is, the
token alone says: `X-Rucio-VO` counts where tokens are given, as the name of a VO or its alias. An identity proves one
account here, so nobody is ever asked which of several it shall be (206).
"""
