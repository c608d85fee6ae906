"""X.509 certificates, proxies and VOMS attributes: the grid's old way to say who one is, until a date.

`proxies` unwraps RFC 3820 proxies, `trust` reads the folder of authorities with its revocation lists and signing
policies, `voms` reads and checks attribute certificates, `names` writes names, `verifier` puts it all together.
"""
