r"""RSEs: where files can be kept, how each is reached, and the language in which one says which.

An *RSE* is one space on one storage, at a site, with attributes that its operator chooses. An *RSE expression* is a
formula over attributes that gives a set of RSEs, `tier=1&(country=UK|country=FR)\site=X`; rules, quotas and people
name storages by it, so that storages may come and go. A *distance* from one RSE to another is the cost of a
transfer; none means no direct link.

    expression ──parse──▶ formula ──evaluate over what the VO sees──▶ RSEs ──place──▶ path, URL, token, plugin

Where a file lies follows from its VO, scope, id and name; nobody chooses paths.
"""
